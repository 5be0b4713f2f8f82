"""The rows that an append without a key sends: those that its model added since the last delivery."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.protocols import Engine, Target, Transaction
from osiris_sql.run.load_id import delivered_with
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import DataFingerprint, TableSchema

_CHOICES = (
    "name a key: [...], by which rows already delivered are known; or publish once with mode: replace, where"
    " append then goes on from; append: {all: true} sends every row of each build"
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows to send: all of a model's `data`, or its last ones, by their places in its table."""

    data: DataFingerprint
    places: range | None = None

    @property
    def rows(self) -> int:
        """How many they are."""
        return self.data.rows if self.places is None else len(self.places)


def added_parts(
    engine: Engine,
    step: Publish,
    target: Target,
    data: DataFingerprint,
    latest: str | None,
    state: StepState | None,
) -> list[Part]:
    """Return what is to be sent, in order; raises StepError where it can't be told what is new.

    `latest` is the last load of the series in the target's ledger, `state` what is remembered of this target.
    A delivery that may still be on its way is a part of its own, the same as then: whether it arrives now
    or did before, the ledger takes it once.
    """
    start, columns = _delivered(step, target, latest, state)
    begun = delivered_with(state.watermark) if state else None
    with engine.transaction() as transaction:
        if start and not _begins_with(transaction, step, start, columns):
            raise StepError(_changed(step, start.rows))
        first = start.rows if start else 0
        ends = [data]
        if begun and first < begun.rows < data.rows and _begins_with(transaction, step, begun, None):
            ends = [begun, data]
    return [
        Part(data=end, places=range(after, end.rows))
        for after, end in zip([first, *(e.rows for e in ends)], ends, strict=False)
    ]


def _delivered(
    step: Publish, target: Target, latest: str | None, state: StepState | None
) -> tuple[DataFingerprint | None, TableSchema | None]:
    """The model's rows as they were delivered last, and the columns that they had then, if that is known."""
    if latest is None:
        return None, None
    known = delivered_with(latest)
    if known and latest.startswith(f"{step.series}."):
        return known, state.schema if state and state.change == latest else None
    if state and state.data and state.change:
        if target.holds(step, state.change):  # before it was an append of added rows
            return state.data, state.schema
    elif known:
        return None, None  # another environment's: the ledger would name one of ours
    raise StepError(_unknown(step, latest))


def _begins_with(
    transaction: Transaction, step: Publish, rows: DataFingerprint, columns: TableSchema | None
) -> bool:
    there = transaction.schema_of(step.relation)
    if columns and there and not {*columns.names} <= {*there.names}:
        return False
    found = transaction.fingerprint(step.relation, columns=columns, first=rows.rows)
    return (found.rows, found.digest) == (rows.rows, rows.digest)


def _changed(step: Publish, rows: int) -> Diagnostic:
    return Diagnostic(
        rule="rows-not-added",
        message=f"the model {step.relation.name} does not begin with the {rows:,} rows that were delivered",
        location=step.location,
        why="it was built again or its columns changed, so it can't be told which of its rows are new",
        fix=_CHOICES,
    )


def _unknown(step: Publish, latest: str) -> Diagnostic:
    return Diagnostic(
        rule="unknown-delivery",
        message=f"it can't be told which rows of the model {step.relation.name} were delivered already",
        location=step.location,
        why=f"the last load of {step.target}.{step.table}, {latest}, is one that nobody here remembers",
        fix=_CHOICES,
    )
