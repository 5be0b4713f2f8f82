"""The stretch of event time that somebody asks to build again."""

from __future__ import annotations

from datetime import datetime

from osiris_sql.plan.batches import Backfill
from osiris_sql.support.calendar_grid import read_instant
from osiris_sql.types.diagnostic import Diagnostic, ProjectError


def read_backfill(start: str | None, end: str | None) -> Backfill | None:
    """Return what `--event-time-start` and `--event-time-end` ask for, or None; raises ProjectError."""
    if start is None and end is None:
        return None
    asked = Backfill(start=_instant(start), end=_instant(end))
    if asked.start and asked.end and asked.end <= asked.start:
        message = f"the event time ends at {end}, which is not after {start}"
        raise ProjectError(Diagnostic(rule="bad-instant", message=message, fix="the end itself is left out"))
    return asked


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else read_instant(text)
    except ValueError:
        fix = "such as 2026-01-31 or 2026-01-31T12:00:00+00:00"
        raise ProjectError(
            Diagnostic(rule="bad-instant", message=f'"{text}" is no instant', fix=fix)
        ) from None
