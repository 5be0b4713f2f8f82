"""What goes wrong on demand; each fault is used up by the calls that it hits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Refusal:
    """An answer of the control plane instead of the true one."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    error_code: str = ""


@dataclass
class Cut:
    """Close the connection after so many bytes of an answer to a call whose path has `part`."""

    part: str
    after: int


class Faults:
    """The faults that wait to happen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.creates: list[Refusal] = []
        self.cuts: list[Cut] = []
        self.lost_creates = 0
        self.disk_full = False
        self.stalled = threading.Event()
        self.silent = threading.Event()
        self.polls: list[int] = []
        self.tamper: Callable[[str, bytes], bytes] | None = None

    def next_refusal(self) -> Refusal | None:
        """Return what the next creation is refused with."""
        with self._lock:
            return self.creates.pop(0) if self.creates else None

    def next_cut(self, path: str) -> Cut | None:
        """Return the cut that hits a call."""
        with self._lock:
            found = next((cut for cut in self.cuts if cut.part in path), None)
            if found:
                self.cuts.remove(found)
            return found

    def next_status(self) -> int | None:
        """Return what the next call to a sandbox is answered with instead of its true answer."""
        with self._lock:
            return self.polls.pop(0) if self.polls else None

    def take_lost_create(self) -> bool:
        """Say whether the answer to this creation is lost on the way."""
        with self._lock:
            lost = self.lost_creates > 0
            self.lost_creates -= lost
            return lost

    def changed(self, path: str, data: bytes) -> bytes:
        """Return what arrives on the far side's disk."""
        return self.tamper(path, data) if self.tamper else data
