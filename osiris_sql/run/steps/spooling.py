"""The rows of a publication, from the warehouse into a spool file, once they may be sent at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osiris_sql.protocols import Engine, SpoolSpec
from osiris_sql.run.steps.added import Part
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import DataFingerprint


def identify_rows(engine: Engine, step: Publish, state: StepState | None) -> DataFingerprint:
    """Return the identity of the rows: remembered for a table, computed for a view."""
    if state and state.data and state.data.algorithm != "view":
        return state.data
    with engine.transaction() as transaction:
        return transaction.fingerprint(step.relation)


@contextmanager
def spooled(engine: Engine, step: Publish, spec: SpoolSpec, folder: Path, part: Part) -> Iterator[Path]:
    """Open the spool file; it is gone afterwards. Raises StepError for rows that may not be sent."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"rows.{spec.kind}"
    try:
        _refuse_empty(step, part.rows)
        with engine.transaction() as transaction:
            if step.key:
                _refuse_bad_key(step, *transaction.key_violations(step.relation, step.key))
            rows = transaction.spool(step.relation, spec, path, part.places)
        _refuse_other_count(step, part.rows, rows)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_other_count(step: Publish, promised: int, rows: int) -> None:
    if rows != promised:
        message = f"{promised} rows were to be sent, {rows} were written to the spool file"
        raise StepError(Diagnostic(rule="count-differs", message=message, location=step.location))


def _refuse_empty(step: Publish, rows: int) -> None:
    if rows or step.allow_empty or step.mode not in ("replace", "sync"):
        return
    raise StepError(
        Diagnostic(
            rule="empty-publication",
            message=f"{step.relation.name} has no rows, so {step.mode} would empty {step.table}",
            location=step.location,
            why="an empty result is more often a broken input than the truth",
            fix="set allow_empty: true if it is the truth",
        )
    )


def _refuse_bad_key(step: Publish, nulls: int, repeated: int) -> None:
    if nulls or repeated:
        raise StepError(
            Diagnostic(
                rule="key-not-unique",
                message=f"the key ({', '.join(step.key)}) does not identify the rows of {step.relation.name}",
                location=step.location,
                why=f"{nulls} rows have a NULL in it, {repeated} keys occur more than once",
                fix="name the columns that identify a row; a data test `unique` finds this earlier",
            )
        )
