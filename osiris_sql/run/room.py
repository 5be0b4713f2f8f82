"""How many steps may run at once, and which must run alone: bookkeeping of the loop, without effects."""

from __future__ import annotations

from collections import deque

from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Step

OUT_OF_MEMORY = "out-of-memory"


class Room:
    """The steps that run now. One that ran out of memory beside others is tried once more, alone."""

    def __init__(self, size: int) -> None:
        self._size = max(1, size)
        self._company: dict[str, bool] = {}
        self._alone: deque[Step] = deque()
        self._closed = False

    @property
    def free(self) -> bool:
        """Whether a step may start now."""
        if not self._company:
            return True
        return not self._closed and not self._alone and len(self._company) < self._size

    @property
    def waiting(self) -> bool:
        """Whether a step waits until it can run alone."""
        return bool(self._alone)

    def take_waiting(self) -> Step:
        """Return the first step that waits to run alone."""
        self._closed = True
        return self._alone.popleft()

    def enter(self, step: Step) -> None:
        """Count a step as running."""
        if self._company:
            self._company = dict.fromkeys(self._company, True)
        self._company[step.id] = bool(self._company)

    def leave(self, step: Step, finished: StepFinished) -> bool:
        """Count a step as ended; say whether it is to be tried again, since others took its memory."""
        had_company = self._company.pop(step.id)
        self._closed = self._closed and bool(self._company)
        again = had_company and any(d.rule == OUT_OF_MEMORY for d in finished.diagnostics)
        if again:
            self._alone.append(step)
        return again

    def clear(self) -> list[Step]:
        """Return the steps that waited, which will not be tried again."""
        left = [*self._alone]
        self._alone.clear()
        return left
