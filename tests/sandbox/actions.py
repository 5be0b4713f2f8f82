"""Sinks that do something while a run goes on."""

from __future__ import annotations


class AtFirstEvent:
    """A sink that does something once, at the first event."""

    def __init__(self, action) -> None:
        self.action = action

    def emit(self, event) -> None:
        action, self.action = self.action, lambda: None
        action()

    def close(self) -> None:
        pass
