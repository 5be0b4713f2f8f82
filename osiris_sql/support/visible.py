"""Values as text that can't be taken for other ones."""

from __future__ import annotations


def visible(value: str | None) -> str:
    """Return a value, in quotes where it has blanks at an end, is empty or the text "NULL"; None is NULL."""
    if value is None:
        return "NULL"
    return f"'{value}'" if value != value.strip() or value in ("", "NULL") else value
