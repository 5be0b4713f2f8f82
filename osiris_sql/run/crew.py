"""The threads that run steps, and what they came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import sleep
from types import TracebackType

from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Step

HEARD = 0.2
"""Seconds after which a wait looks up, so that Ctrl-C is heard at once."""


class Crew:
    """Runs steps in threads. `run` may raise nothing but what must end the whole run."""

    def __init__(self, size: int, run: Callable[[Step], StepFinished]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=max(1, size))
        self._run = run
        self._busy: dict[str, Step] = {}
        self._results: dict[str, StepFinished | BaseException] = {}
        self._ended: SimpleQueue[Step | None] = SimpleQueue()

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    @property
    def busy(self) -> bool:
        """Whether a step runs, or has ended and was not yet given out."""
        return bool(self._busy)

    def start(self, step: Step) -> None:
        """Run a step in a thread of its own."""
        self._busy[step.id] = step
        self._pool.submit(self._work, step)

    def ended(self) -> Iterator[tuple[Step, StepFinished]]:
        """Give out a step that has ended, after a bounded wait; it counts as busy until it was dealt with.

        Raises KeyboardInterrupt after a `cancel`.
        """
        try:
            step = self._ended.get(timeout=HEARD)
        except Empty:
            return
        if step is None:
            raise KeyboardInterrupt
        yield step, self._result(step)
        del self._busy[step.id], self._results[step.id]

    def cancel(self) -> None:
        """Let `ended` raise KeyboardInterrupt; may be called from a signal's handler."""
        self._ended.put(None)

    def stop(self, interrupt: Callable[[], None]) -> list[StepFinished]:
        """Interrupt all that runs until it has ended, and return what it came to; a query that starts
        just now is stopped on the next round."""
        while self._busy.keys() - self._results.keys():
            interrupt()
            sleep(0.05)
        return [self._result(step) for step in self._busy.values()]

    def _work(self, step: Step) -> None:
        try:
            self._results[step.id] = self._run(step)
        except BaseException as error:  # noqa: BLE001 - raised again where the run waits for it
            self._results[step.id] = error
        self._ended.put(step)

    def _result(self, step: Step) -> StepFinished:
        found = self._results[step.id]
        if isinstance(found, BaseException):
            raise found
        return found
