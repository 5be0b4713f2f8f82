"""Keeps a run's events and its result in the run's folder."""

from __future__ import annotations

import os
from pathlib import Path

from osiris_sql.support import wire
from osiris_sql.types.event import Event, StepProgress
from osiris_sql.types.result import fold_events


class Files:
    """Writes `events.jsonl` as the events come, and `run_results.json` when no more will.

    Every line is in the file before `emit` returns, so a run that is killed leaves what it said;
    `events` are those that were there already.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.events = _whole_lines(folder / "events.jsonl")
        self._lines = (folder / "events.jsonl").open("a", encoding="utf-8")
        self._events = [event for event in self.events if not isinstance(event.body, StepProgress)]

    def emit(self, event: Event) -> None:
        """Append one event."""
        self._lines.write(wire.to_json(event) + "\n")
        self._lines.flush()
        if not isinstance(event.body, StepProgress):
            self._events.append(event)

    def close(self) -> None:
        """Write the result that the events add up to; a second call changes nothing."""
        if self._lines.closed:
            return
        self._lines.close()
        unfinished = self._folder / "run_results.json.part"
        unfinished.write_text(wire.to_document(fold_events(self._events)), encoding="utf-8")
        unfinished.replace(self._folder / "run_results.json")


def _whole_lines(path: Path) -> list[Event]:
    """Return the events that an earlier client wrote; half a line at the end is cut off."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
        os.truncate(path, sum(map(len, lines)))
    return [wire.from_json(Event, line) for line in lines]


PLUGIN = Files
