"""Numbers, times and masks the events of a run, and feeds them to its sinks in order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from osiris_sql.protocols import Sink
from osiris_sql.support import wire
from osiris_sql.support.interrupts import interrupts_after
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.event import Event, EventBody


class Journal:
    """The one place through which every event leaves; safe to call from any thread."""

    def __init__(self, sinks: Sequence[Sink], redactor: Redactor) -> None:
        self._sinks = sinks
        self._redactor = redactor
        self._lock = threading.Lock()
        self._next = 0

    def emit(self, body: EventBody) -> None:
        """Write one event to every sink; Ctrl-C is raised when it has reached all of them."""
        if self._redactor.knows:
            text = wire.to_json(body)
            masked = self._redactor(text)
            if masked != text:
                body = wire.from_json(type(body), masked)
        with interrupts_after(), self._lock:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            event = Event(seq=self._next, at=at, body=body)
            self._next += 1
            for sink in self._sinks:
                sink.emit(event)
