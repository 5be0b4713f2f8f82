"""Pieces of a query cut out together with the blanks beside them; comments there stay."""

from __future__ import annotations

from osiris_sql.lint.finding import Edit


def cut_on(sql: str, start: int, end: int) -> Edit:
    """Return the cut of a piece with the blanks after it."""
    return Edit(start, end + _blanks(sql[end:]), "")


def cut_back(sql: str, before: int, start: int, end: int) -> Edit:
    """Return the cut of a piece with all that stands between `before` and it, if that is only blanks."""
    return cut_on(sql, start, end) if sql[before:start].strip() else Edit(before, end, "")


def _blanks(text: str) -> int:
    return len(text) - len(text.lstrip())
