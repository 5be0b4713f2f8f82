"""What a test wants to go wrong, and at which request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from servers.postgrest.answer import Answer

_HTML = b"<html><head><title>{0} error</title></head><body><center>nginx</center></body></html>"
_WORDS = {
    "PGRST002": "Could not query the database for the schema cache. Retrying.",
    "PGRST003": "Timed out acquiring connection from connection pool.",
}


@dataclass
class Fault:
    """`what`: "drop before", "drop after" (the COMMIT), "delay before", "delay after", a status such as
    "502", or a code such as "PGRST003". It spares `skip` requests that fit, then hits `times` of them."""

    what: str
    method: str = ""
    path: str = ""
    skip: int = 0
    times: int = 1
    seconds: float = 0.0
    act: Callable[[], None] | None = None
    hits: int = field(default=0, init=False)


class Faults:
    """The faults of a server; a request meets the first that fits it."""

    def __init__(self) -> None:
        self._lock, self._planned = threading.Lock(), list[Fault]()

    def add(self, what: str, **more) -> Fault:
        made = Fault(what, **more)
        with self._lock:
            self._planned.append(made)
        return made

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._planned:
                if fault.hits >= fault.times or fault.method not in ("", method) or fault.path not in path:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                return fault
        return None


def fault_answer(fault: Fault) -> Answer | None:
    """Return what the gateway or PostgREST says before any statement, or None for faults of other kinds."""
    if fault.what in _WORDS:
        body = f'{{"code":"{fault.what}","details":null,"hint":null,"message":"{_WORDS[fault.what]}"}}'
        status = 504 if fault.what == "PGRST003" else 503
        return Answer(status=status, headers={"Content-Type": "application/json"}, body=body.encode())
    if fault.what.isdigit():
        body = _HTML.replace(b"{0}", fault.what.encode())
        return Answer(status=int(fault.what), headers={"Content-Type": "text/html"}, body=body)
    return None
