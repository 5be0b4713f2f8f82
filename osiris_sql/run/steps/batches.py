"""Builds the batches of a microbatch model, each in a transaction of its own; what a killed run has done is
not done again. The model's table gets them all in one transaction, with its tests and its state."""

from __future__ import annotations

from collections.abc import Mapping

from osiris_sql.run.steps.rows import increments
from osiris_sql.run.steps.running import Running
from osiris_sql.support import wire
from osiris_sql.support.calendar_grid import read_instant, stretches
from osiris_sql.types.batches import Batches
from osiris_sql.types.event import StepProgress
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Materialize


def build_batches(
    running: Running,
    step: Materialize,
    batches: Batches,
    before: StepState | None,
    inputs: Mapping[str, str],
) -> None:
    """Build the batches that are not done yet."""
    # The end of the last batch, which the clock holds too, says nothing of the others.
    clock = (step.clock or "").rpartition(" ")[0]
    made_by = wire.digest([step.fingerprint, inputs, clock])
    with running.engine.transaction() as transaction:
        start = batches.start if increments(transaction, step, before) else batches.begin
        done = transaction.begin_batches(step.relation, made_by)
    ends = list(stretches(read_instant(start), read_instant(batches.end), batches.size))
    for number, (first, last) in enumerate(ends, start=1):
        if (begins := first.isoformat()) in done:
            continue
        instants = {
            "run_clock": running.plan.run_clock,
            "batch_start": begins,
            "batch_end": last.isoformat(),
        }
        running.emit(StepProgress(step=step.id, message=f"batch {number} of {len(ends)}: {begins}"))
        with running.engine.transaction() as transaction:
            transaction.build_batch(step.relation, made_by, step.sql, instants, batches.event_time)


def built_until(step: Materialize, before: StepState | None, *, increment: bool) -> str | None:
    """Return the end of the last batch that stands with all before it, None of a model without batches."""
    if step.batches is None:
        return None
    known = before.watermark if before and increment else None
    if known is None:
        return step.batches.end
    start, end = read_instant(step.batches.start), read_instant(step.batches.end)
    return step.batches.end if start <= read_instant(known) < end else known
