"""How long a run will still take, from what its steps took before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from osiris_sql.sinks._labels import seconds_text
from osiris_sql.types.plan import Step

WORTH = 1.0
"""Seconds; less is not worth saying."""


def remains_text(
    steps: Sequence[Step],
    ended: Iterable[str],
    running: Mapping[str, float],
    took: Mapping[str, float],
    concurrency: int,
) -> str:
    """Return `about 2m 05s left`, or nothing where it can't be told; `running` is how long steps run by now.

    Steps that the plan reuses take no time. A step that was never run leaves the rest untold, as does one
    that takes longer than before.
    """
    gone = set(ended)
    left = [s for s in steps if s.id not in gone and (s.decision != "reuse" or s.id in running)]
    if any(step.id not in took for step in left):
        return ""
    rests = [took[step.id] - running.get(step.id, 0.0) for step in left]
    if not rests or min(rests) < 0:
        return ""
    seconds = max(sum(rests) / max(1, concurrency), *rests)
    return f"about {seconds_text(seconds)} left" if seconds >= WORTH else ""
