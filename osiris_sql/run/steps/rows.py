"""Writes the rows of a model, each materialization in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from osiris_sql.protocols import Transaction
from osiris_sql.run.steps.running import Running
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Materialize


@dataclass(frozen=True, kw_only=True)
class Wrote:
    """How many rows were written, and what else is worth saying."""

    rows: int = 0
    facts: Mapping[str, int] = field(default_factory=dict)


def increments(transaction: Transaction, step: Materialize, before: StepState | None) -> bool:
    """Say whether the rows that are there stay, and new ones join them."""
    if step.increment_sql is None or step.full_refresh or before is None:
        return False
    return before.fingerprint in (step.fingerprint, step.continues) and transaction.is_table(step.relation)


def write_rows(
    running: Running,
    transaction: Transaction,
    step: Materialize,
    before: StepState | None,
    *,
    increment: bool,
) -> Wrote:
    """Write the relation of a model and return how much; raises StepError where that would lose history."""
    clock = running.plan.run_clock
    if step.snapshot:
        if increment:
            counts = transaction.keep_versions(step.relation, step.sql, clock, step.snapshot)
            return Wrote(rows=counts["inserted"] + counts["updated"], facts=counts)
        _refuse_lost_history(transaction, step, before)
        return Wrote(rows=transaction.begin_versions(step.relation, step.sql, clock, step.snapshot))
    if step.batches:
        return Wrote(rows=transaction.fold_batches(step.relation, step.batches, anew=not increment))
    if increment and step.increment_sql is not None:
        return Wrote(
            rows=transaction.insert_query(
                step.relation, step.increment_sql, clock, step.strategy, step.unique_key
            )
        )
    if step.materialized == "view":
        transaction.replace_view(step.relation, step.sql, clock)
        return Wrote()
    return Wrote(rows=transaction.replace_table(step.relation, step.sql, clock))


def _refuse_lost_history(transaction: Transaction, step: Materialize, before: StepState | None) -> None:
    known = before is not None and before.materialized != "snapshot"
    if transaction.is_table(step.relation) and not known:
        raise StepError(
            Diagnostic(
                rule="history-would-be-lost",
                message=f"{step.relation.name} is there, but nothing is known of how it was made",
                location=step.location,
                why="a new snapshot would take its place, and the versions that it keeps would be gone",
                fix=f"move the table away, or drop it: osiris-sql clean --relation {step.relation.name}",
            )
        )
