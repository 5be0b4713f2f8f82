"""What DuckDB's errors mean to the person at the keyboard."""

import errno
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from osiris_sql.types.diagnostic import (
    CancelledError,
    Diagnostic,
    OsirisError,
    StepError,
    UnaskedError,
    UnreachableError,
)
from osiris_sql.types.plan import PlannedTest

NO_SPACE = re.compile(r"no space left|disk is full|could not write|file too large|disk quota", re.IGNORECASE)
HOLDER = re.compile(r"PID (\d+)")


def explain_failure(error: duckdb.Error) -> OsirisError:
    """Return what to raise for an error inside a transaction, which has been rolled back."""
    text = clean_message(error)
    if isinstance(error, duckdb.InterruptException):
        return CancelledError(Diagnostic(rule="interrupted", message="the query was interrupted"))
    if NO_SPACE.search(text):
        return StepError(
            Diagnostic(
                rule="disk-full",
                message="the disk is full",
                why=text,
                fix="free some space and build again: nothing was half written",
            )
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return StepError(
            Diagnostic(
                rule="out-of-memory",
                message="the query needs more memory than it may use",
                why=text,
                fix="raise memory_limit, or lower threads, in [tool.osiris-sql]",
            )
        )
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return StepError(
            Diagnostic(
                rule="bad-value",
                message="a value does not fit its type",
                why=text,
                fix="find such rows with a SELECT and TRY_CAST, then correct or filter them",
            )
        )
    return StepError(Diagnostic(rule="query-failed", message="the query failed", why=text))


def explain_test_failure(error: duckdb.Error, tests: Sequence[PlannedTest]) -> OsirisError:
    """Return what to raise for an error of a data test, or of several that were asked at once."""
    found = explain_failure(error)
    if found.diagnostics[0].rule not in ("bad-value", "query-failed"):
        return found
    names, one = ", ".join(test.name for test in tests), len(tests) == 1
    return UnaskedError(
        Diagnostic(
            rule="test-error",
            message=f"{'the data test' if one else 'one of the data tests'} {names} could not be asked",
            location=tests[0].location,
            why=found.diagnostics[0].why,
            fix="correct its condition, or write TRY_CAST where a value may be of another kind",
        )
    )


def is_locked(error: duckdb.Error) -> bool:
    """Say whether a warehouse can't be opened because a process holds it."""
    return HOLDER.search(clean_message(error)) is not None


def explain_unopened(error: duckdb.Error | OSError, warehouse: Path) -> OsirisError:
    """Return what to raise for a warehouse that can't be opened."""
    text = clean_message(error)
    holder = HOLDER.search(text)
    if holder:
        return UnreachableError(
            Diagnostic(
                rule="warehouse-in-use",
                message=f"the warehouse {warehouse.name} is in use by process {holder[1]}",
                why="one process at a time may write a DuckDB file",
                fix="wait until it ends, or stop that process",
            )
        )
    if NO_SPACE.search(text) or getattr(error, "errno", None) == errno.ENOSPC:
        return StepError(
            Diagnostic(rule="disk-full", message="the disk is full", why=text, fix="free some space")
        )
    return UnreachableError(
        Diagnostic(
            rule="warehouse-unreadable",
            message=f"the warehouse {warehouse.name} can't be opened",
            why=text,
            fix="check its path and permissions; `osiris-sql clean --warehouse` removes it",
        )
    )


def clean_message(error: BaseException) -> str:
    """Return an error's first paragraph, without the engine's own label and hints about itself."""
    text = re.sub(r"^[A-Za-z ]+(Error|Exception): ", "", str(error).strip())
    return text.split("\n\n", 1)[0].strip()
