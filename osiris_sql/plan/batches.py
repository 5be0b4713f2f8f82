"""Which stretches of time a microbatch model builds."""

from __future__ import annotations

from datetime import datetime

from osiris_sql.support.calendar_grid import ceiling, floor, read_instant, step, stretches
from osiris_sql.types.batches import Batches
from osiris_sql.types.manifest import BatchSpec
from osiris_sql.types.noun import noun
from osiris_sql.types.observed import StepState


@noun
class Backfill:
    """The stretch of event time that somebody asked to build again; None is open."""

    start: datetime | None = None
    end: datetime | None = None


def plan_batches(
    spec: BatchSpec, state: StepState | None, run_clock: datetime, backfill: Backfill | None
) -> Batches:
    """Return the batches up to the one that the run clock is in.

    From the last one built on, which was not over then, and `lookback` before it; or those asked for.
    """
    begin = floor(read_instant(spec.begin), spec.size)
    end = step(max(floor(run_clock, spec.size), begin), spec.size, 1)
    built = read_instant(state.watermark) if state and state.watermark else end
    start = max(begin, step(min(built, end), spec.size, -1 - spec.lookback))
    if backfill:
        start = begin = floor(backfill.start, spec.size) if backfill.start else begin
        wanted = ceiling(backfill.end, spec.size) if backfill.end else end
        end = max(wanted, step(start, spec.size, 1))
    return Batches(
        event_time=spec.event_time,
        type=spec.type,
        size=spec.size,
        begin=begin.isoformat(),
        start=start.isoformat(),
        end=end.isoformat(),
        asked=backfill is not None,
    )


def describe_batches(batches: Batches, *, all_of_them: bool) -> str:
    """Return how many batches there will be, and from when to when, in words."""
    start = read_instant(batches.begin if all_of_them else batches.start)
    end = read_instant(batches.end)
    count = sum(1 for _ in stretches(start, end, batches.size))
    first, last = (str(instant)[: 16 if batches.size == "hour" else 10] for instant in (start, end))
    article = "an" if batches.size == "hour" else "a"
    return f"{count} batch{'' if count == 1 else 'es'} of {article} {batches.size}, {first} to {last}"
