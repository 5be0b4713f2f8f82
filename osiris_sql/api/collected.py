"""The sink that keeps a run's events in memory."""

from __future__ import annotations

from osiris_sql.types.event import Event


class Collected:
    """Keeps the events that it is given, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep one event."""
        self.events.append(event)

    def close(self) -> None:
        """Nothing is left to do."""
