"""The sink that keeps a run's events in memory."""

from __future__ import annotations

from osiris_sql.types.event import Event, StepProgress


class Collected:
    """Keeps the events that a result is made of, in order: progress would grow with the rows."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep one event."""
        if not isinstance(event.body, StepProgress):
            self.events.append(event)

    def close(self) -> None:
        """Nothing is left to do."""
