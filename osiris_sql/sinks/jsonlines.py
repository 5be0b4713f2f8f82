"""Prints a run's events for machines: one JSON object a line."""

from __future__ import annotations

import sys
from typing import TextIO

from osiris_sql.support import wire
from osiris_sql.types.event import Event


class JsonLines:
    """Writes each event to a stream as it comes; a reader that went away does not end the run."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._reader_left = False

    def emit(self, event: Event) -> None:
        """Write one event and flush it."""
        if self._reader_left:
            return
        try:
            self._stream.write(wire.to_json(event) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._reader_left = True

    def close(self) -> None:
        """Leave the stream open: it is not ours."""


PLUGIN = JsonLines
