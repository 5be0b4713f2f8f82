"""Filters on rows, compared."""

from __future__ import annotations

from osiris_sql.types.relation import RowFilter


def holds(held: RowFilter, needed: RowFilter) -> bool:
    """Say whether rows that were read with one filter are all that another one lets pass."""
    return not held or (bool(needed) and all(any(set(h) <= set(n) for h in held) for n in needed))
