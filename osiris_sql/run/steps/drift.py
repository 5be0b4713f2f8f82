"""Compares a source with what sources.lock and the last run know of it, before and after it is read."""

from __future__ import annotations

from collections.abc import Iterator

from osiris_sql.run.steps.running import Running
from osiris_sql.types.diagnostic import Diagnostic, Severity, StepError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Extract
from osiris_sql.types.relation import TableSchema

FEWER = 0.5
"""The share of its rows that a table read in full may lose from one run to the next without a word."""


def compare_schema(running: Running, step: Extract) -> tuple[Diagnostic, ...]:
    """Return a warning that says how the table differs from sources.lock, if it does.

    Raises StepError for lost columns that are read.
    """
    if step.recorded is None:
        return ()
    live = _live(running, step)
    if live is None:
        return ()  # reading it says what near names there are
    changes = list(_changes(step, step.recorded, live))
    wanted = [column.name for column in step.columns if live.type_of(column.name) is None]
    if not changes and not wanted:
        return ()
    table = step.node.partition(":")[2]
    if wanted:
        raise StepError(
            _drifted(step, f"{table} has lost columns that are read: {', '.join(wanted)}", changes)
        )
    message = f"{table} is not as sources.lock records it"
    return (_drifted(step, message, changes, severity="warning"),)


def compare_rows(step: Extract, before: StepState | None, rows: int) -> tuple[Diagnostic, ...]:
    """Return a warning about a table that was suddenly found empty, or with far fewer rows than last time."""
    last = before.data.rows if before and before.data and before.fingerprint == step.fingerprint else 0
    if not last or rows >= last * FEWER:
        return ()
    table = step.node.partition(":")[2]
    left = "no rows" if not rows else f"{rows} rows"
    return (
        Diagnostic(
            rule="rows-vanished",
            severity="warning",
            message=f"{table} has {left}, where it had {last} at the last run",
            location=step.location,
            fix="if that is right there is nothing to do; a data test on the count would stop the build",
        ),
    )


def _live(running: Running, step: Extract) -> TableSchema | None:
    """The table as it is now; all tables of a connection are asked for at once."""
    if step.connection not in running.discovered:
        names = [
            other.identifier
            for other in running.plan.steps
            if isinstance(other, Extract) and other.connection == step.connection
        ]
        source = running.connections.source(step.connection)
        # To discover files is to read them all, which the extract will do: their heads say enough.
        found = getattr(source, "describe", source.discover)(names)
        running.discovered[step.connection] = {table.identifier: table.schema for table in found}
    return running.discovered[step.connection].get(step.identifier)


def _changes(step: Extract, recorded: TableSchema, live: TableSchema) -> Iterator[str]:
    for column in recorded.columns:
        now = live.type_of(column.name)
        if now is None:
            yield f"{column.name} is gone{_read_by(step, column.name)}"
        elif now not in ("", column.type):
            yield f"{column.name} was {column.type} and is {now}{_read_by(step, column.name)}"
    new = (column for column in live.columns if recorded.type_of(column.name) is None)
    yield from (f"{column.name} {column.type}".rstrip() + " is new" for column in new)
    if recorded.key and live.key != recorded.key:
        yield f"the key was ({', '.join(recorded.key)}) and is ({', '.join(live.key)})"


def _read_by(step: Extract, column: str) -> str:
    readers = next((who for name, who in step.readers.items() if name.lower() == column.lower()), ())
    return f" (read by {', '.join(reader.partition(':')[2] for reader in readers)})" if readers else ""


def _drifted(step: Extract, message: str, changes: list[str], severity: Severity = "error") -> Diagnostic:
    return Diagnostic(
        rule="source-drifted",
        severity=severity,
        message=message,
        location=step.location,
        why="; ".join(changes),
        fix=f"osiris-sql discover {step.relation.schema}, then compile: it says what no longer fits",
    )
