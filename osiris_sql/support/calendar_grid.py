"""Instants on a grid of hours, days, months or years of UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

Size = Literal["hour", "day", "month", "year"]


def read_instant(text: str) -> datetime:
    """Return an ISO date or time as an instant; without a zone it is one of UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def floor(instant: datetime, size: Size) -> datetime:
    """Return the last instant of the grid that is not after this one."""
    cut = {"minute": 0, "second": 0, "microsecond": 0}
    cut |= {"hour": 0} if size != "hour" else {}
    cut |= {"day": 1} if size in ("month", "year") else {}
    cut |= {"month": 1} if size == "year" else {}
    return instant.replace(**cut)  # type: ignore[arg-type]


def ceiling(instant: datetime, size: Size) -> datetime:
    """Return the first instant of the grid that is not before this one."""
    below = floor(instant, size)
    return below if below == instant else step(below, size, 1)


def step(instant: datetime, size: Size, count: int) -> datetime:
    """Return the instant of the grid `count` places on, or back."""
    if size == "hour":
        return instant + timedelta(hours=count)
    if size == "day":
        return instant + timedelta(days=count)
    months = instant.year * 12 + instant.month - 1 + count * (12 if size == "year" else 1)
    return instant.replace(year=months // 12, month=months % 12 + 1)


def stretches(start: datetime, end: datetime, size: Size) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches of the grid from `start` to `end`, both on the grid."""
    while start < end:
        yield start, (after := step(start, size, 1))
        start = after
