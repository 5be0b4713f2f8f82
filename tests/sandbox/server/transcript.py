"""Every byte that crossed the wire, in both directions."""

from __future__ import annotations

import threading
from typing import Any


class Transcript:
    """Pieces of traffic, each with the request that it belongs to ("" before that is known)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: list[tuple[str, bytes]] = []
        self.calls: list[str] = []

    def add(self, call: str, data: bytes) -> None:
        """Keep a piece."""
        with self._lock:
            self._pieces.append((call, data))

    def begin(self, call: str) -> None:
        """Keep that a request came."""
        with self._lock:
            self.calls.append(call)

    def count(self, part: str) -> int:
        """Return how many requests have `part` in their method and path."""
        with self._lock:
            return sum(part in call for call in self.calls)

    def bytes_of(self, part: str = "", *, without: str = "\0") -> bytes:
        """Return the traffic of the requests with `part`, and not `without`, in method and path."""
        with self._lock:
            return b"".join(data for call, data in self._pieces if part in call and without not in call)


class Tapped:
    """A connection's file whose traffic is kept; `call` is the request that is being answered."""

    def __init__(self, file: Any, transcript: Transcript) -> None:
        self._file = file
        self._transcript = transcript
        self.call = ""

    def read(self, size: int = -1) -> bytes:
        """Read and keep."""
        return self._kept(self._file.read(size))

    def readline(self, limit: int = -1) -> bytes:
        """Read a line and keep it."""
        return self._kept(self._file.readline(limit))

    def write(self, data: bytes) -> int:
        """Keep and write."""
        written: int = self._file.write(self._kept(data))
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _kept(self, data: bytes) -> bytes:
        self._transcript.add(self.call, bytes(data))
        return data
