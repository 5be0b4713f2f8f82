"""Which step may run next: bookkeeping of the loop, without effects."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from osiris_sql.types.plan import Extract, Publish, Step


class Schedule:
    """The steps of a plan as they become ready, in the plan's order.

    Publications over one connection go out one after another, as they are planned: a foreign key among
    their tables must not depend on which of two is faster.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = {step.id: step for step in steps}
        self._place = {step.id: place for place, step in enumerate(steps)}
        self._waiting = {s.id: {n for n in s.needs if n in self._steps} for s in steps}
        self._below: dict[str, list[str]] = {s.id: [] for s in steps}
        for waiting, needs in self._waiting.items():
            for above in needs:
                self._below[above].append(waiting)
        self._behind: dict[str, str] = {}
        self._queue_publications(steps)
        self._ready = [self._place[s] for s, needs in self._waiting.items() if not needs]
        heapify(self._ready)
        self._order = list(steps)
        self._blamed: dict[str, str] = {}
        self._gone: set[str] = set()
        self._reads: dict[str, int] = {}
        for step in steps:
            if isinstance(step, Extract):
                self._reads[step.connection] = self._reads.get(step.connection, 0) + 1

    @property
    def ready(self) -> bool:
        """Whether a step may start now."""
        return bool(self._ready)

    def start(self) -> Step:
        """Return the next step that may start, and count it as started."""
        step = self._order[heappop(self._ready)]
        self._gone.add(step.id)
        return step

    def finish(self, step: Step, *, ok: bool) -> None:
        """Say how a step ended: what it was the last need of becomes ready, or is left for ever."""
        self._forget_read(step)
        for ended in [step.id] if ok else self._blame(step.id):
            if ended in self._behind:
                self._free(self._behind[ended], of=ended)
        for below in self._below[step.id] if ok else ():
            self._free(below, of=step.id)

    def stop(self) -> None:
        """Start nothing more."""
        self._ready.clear()

    def left(self) -> list[Step]:
        """Return the steps that never started, in order."""
        return [step for step in self._order if step.id not in self._gone]

    def why_left(self, step: Step) -> str:
        """Return why a step never started."""
        blamed = self._blamed.get(step.id)
        return f"needs {blamed}, which failed" if blamed else "the run was stopped before it"

    def still_reads(self, connection: str) -> bool:
        """Say whether a step that reads a source connection has not ended yet."""
        return self._reads.get(connection, 0) > 0

    def _forget_read(self, step: Step) -> None:
        if isinstance(step, Extract):
            self._reads[step.connection] -= 1

    def _queue_publications(self, steps: Sequence[Step]) -> None:
        last: dict[str, str] = {}
        for step in steps:
            if isinstance(step, Publish):
                if step.connection in last:
                    self._behind[last[step.connection]] = step.id
                    self._waiting[step.id].add(last[step.connection])
                last[step.connection] = step.id

    def _free(self, waiting: str, *, of: str) -> None:
        """Note that a step need not wait for another any more."""
        self._waiting[waiting].discard(of)
        if not self._waiting[waiting] and waiting not in self._blamed:
            heappush(self._ready, self._place[waiting])

    def _blame(self, failed: str) -> list[str]:
        """Leave what needs a failed step; return all that will not run (again)."""
        wave, ended = list(self._below[failed]), [failed]
        while wave:
            below = wave.pop()
            if below not in self._blamed:
                self._blamed[below] = failed
                self._forget_read(self._steps[below])
                wave.extend(self._below[below])
                ended.append(below)
        return ended
