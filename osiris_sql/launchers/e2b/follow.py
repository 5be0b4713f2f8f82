"""Follows a run from the main thread, which hears Ctrl-C at once because it never waits for the network."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from osiris_sql.launchers.e2b import failure
from osiris_sql.launchers.e2b.courier import Away, Cancel, Courier, Ended, Item
from osiris_sql.launchers.e2b.remote import Remote
from osiris_sql.protocols import Sink
from osiris_sql.run.execute import hash_plan
from osiris_sql.support import wire
from osiris_sql.support.package import hash_code
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, OsirisError
from osiris_sql.types.event import Event, RunFinished, RunStarted
from osiris_sql.types.plan import Plan

PATIENCE = 15.0
Begin = Callable[[Courier], None]


class Follower:
    """Takes a run's events in order, once each, and ends them in every case."""

    def __init__(
        self, plan: Plan, run_id: str, sinks: Sequence[Sink], secrets: Iterable[str], *, known: int = 0
    ) -> None:
        self._plan, self._run_id, self._sinks = plan, run_id, sinks
        self._redact = Redactor(secrets)
        self._next = known
        self._finished: Event | None = None
        self._said: RunFinished | None = None
        self._last_at = time.monotonic()
        self.left_running = False

    def follow(
        self,
        remote: Remote,
        begin: Begin,
        folder: Path,
        *,
        lease: int,
        detach: bool,
        arrive: Callable[[Ended], None],
    ) -> int:
        """Follow a run to its end and return the exit code; raises OsirisError if it never began."""
        inbox: SimpleQueue[Item] = SimpleQueue()
        courier = Courier(remote, begin, inbox, folder, lease=lease, detach=detach)
        began = time.monotonic()
        try:
            with _heard_signals(inbox):
                courier.start()
                ended = self._listen(remote, courier, inbox)
                if ended is None:
                    self.left_running = True
                    return 0
                if self._said:
                    # A client before this one heard the end, and said it after everything had arrived.
                    return self._said.exit_code
                self._check_last_word(remote, ended)
                arrive(ended)
        except OsirisError as error:
            masked = self._mask(error.diagnostics)
            if not self._next:
                raise type(error)(*masked) from None
            return self._end(error.exit_code, time.monotonic() - began, masked)
        return self._end()

    def _listen(self, remote: Remote, courier: Courier, inbox: SimpleQueue[Item]) -> Ended | None:
        deadline = float("inf")
        while True:
            if time.monotonic() > deadline:
                raise _cancelled("the run did not end in time after it was asked to: the sandbox was killed")
            try:
                item = inbox.get(timeout=0.2)
            except Empty:
                continue
            match item:
                case bytes():
                    self._take(item)
                case Ended():
                    return item
                case Away():
                    return None
                case Cancel() if courier.cancelled.is_set():
                    raise _cancelled("asked twice to stop: the sandbox was killed")
                case Cancel():
                    courier.cancelled.set()
                    deadline = time.monotonic() + PATIENCE
                    if courier.begun:
                        threading.Thread(target=remote.terminate, daemon=True).start()
                case Exception():
                    raise item

    def _take(self, line: bytes) -> None:
        event = wire.from_json(Event, line)
        if event.seq < self._next:
            self._said = event.body if isinstance(event.body, RunFinished) else None
            return
        if event.seq > self._next:
            raise failure.not_the_same(
                [{"what": "the next event", "there": str(self._next), "here": str(event.seq)}]
            )
        if isinstance(event.body, RunStarted):
            self._check_first_word(event.body)
        self._next += 1
        if isinstance(event.body, RunFinished):
            # Said only when what it wrote is in its place.
            self._finished = event
        else:
            self._emit(event)

    def _check_first_word(self, started: RunStarted) -> None:
        pairs = [
            ("the run", self._run_id, started.run_id),
            ("the plan", hash_plan(self._plan), started.plan_sha256),
            ("the code of osiris-sql", hash_code(), started.code_sha256),
        ]
        wrong = [{"what": what, "there": a, "here": b} for what, a, b in pairs if a != b]
        if wrong:
            raise failure.not_the_same(wrong)

    def _check_last_word(self, remote: Remote, ended: Ended) -> None:
        if refused := ended.status.get("refused"):
            raise failure.not_the_same(refused)
        if self._finished is None:
            if ended.status["exit_code"] == CancelledError.exit_code:
                raise _cancelled("cancelled before the first step")
            raise failure.crashed(str(ended.status["exit_code"]), remote.examine())

    def _end(self, exit_code: int = 0, seconds: float = 0.0, diagnostics: Sequence[Diagnostic] = ()) -> int:
        """Say the last event: the worker's own, or one in its place with what went wrong here."""
        if self._finished and isinstance(self._finished.body, RunFinished):
            body = self._finished.body
            if diagnostics:
                body = replace(
                    body, status="failed", exit_code=exit_code, diagnostics=(*body.diagnostics, *diagnostics)
                )
            self._emit(replace(self._finished, body=body))
            return body.exit_code
        status = "cancelled" if exit_code == CancelledError.exit_code else "failed"
        finished = RunFinished(
            status=status,  # type: ignore[arg-type]
            exit_code=exit_code,
            seconds=round(seconds, 3),
            diagnostics=tuple(diagnostics),
        )
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._emit(Event(seq=self._next, at=at, body=finished))
        return exit_code

    def _mask(self, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        return tuple(
            replace(d, message=self._redact(d.message), why=self._redact(d.why)) for d in diagnostics
        )

    def _emit(self, event: Event) -> None:
        for sink in self._sinks:
            sink.emit(event)


def _cancelled(message: str) -> CancelledError:
    return CancelledError(Diagnostic(rule="cancelled", message=message))


@contextmanager
def _heard_signals(inbox: SimpleQueue[Item]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into messages; only the main thread may, elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, lambda *_: inbox.put(Cancel()))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
