"""A copy of the warehouse's state beside it, for readers while a run holds the warehouse.

One JSON line a node, the last one wins; written again whole when a run begins. A process killed
between its commit and its line leaves the copy one step behind: the warehouse wins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from osiris_sql.support.packed import recall
from osiris_sql.types.observed import StepState

GONE = "forgotten "


class StateMirror:
    """Writes the copy; safe to call from any thread."""

    def __init__(self, warehouse: Path, records: Iterable[str]) -> None:
        self._path = mirror_path(warehouse)
        self._lock = threading.Lock()
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(record + "\n" for record in records))
        fresh.replace(self._path)
        self._file = self._path.open("a")

    def append(self, written: Mapping[str, str | None]) -> None:
        """Add what a transaction has just committed, by node; None is a node that was forgotten."""
        text = "".join(f"{record or GONE + node}\n" for node, record in written.items())
        if text:
            with self._lock:
                self._file.write(text)
                self._file.flush()

    def close(self) -> None:
        """Add nothing more."""
        self._file.close()


def mirror_path(warehouse: Path) -> Path:
    """Return where the copy of a warehouse's state is."""
    return warehouse.with_suffix(".state.jsonl")


def read_mirror(warehouse: Path) -> dict[str, StepState]:
    """Return the copy by node; a last line that is only half written is left out."""
    try:
        text = mirror_path(warehouse).read_text()
    except FileNotFoundError:
        return {}
    whole = text[: text.rfind("\n") + 1].splitlines()
    states: dict[str, StepState] = {}
    for line in whole:
        if line.startswith(GONE):
            states.pop(line.removeprefix(GONE), None)
        else:
            state = recall(StepState, line)
            states[state.step] = state
    return states
