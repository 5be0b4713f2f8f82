"""Numbers that are to occur in another relation: they do where that one holds every number in their range.

So nothing is read of the rows that refer to it.
"""

from __future__ import annotations

import duckdb

from osiris_sql.engines.duckdb.whole_numbers import BITS, Range
from osiris_sql.types.relation import ColumnRef


def holds_all(cursor: duckdb.DuckDBPyConnection, parent: ColumnRef, held: Range) -> bool:
    """Say whether every whole number of a range occurs in a column."""
    if held.width > BITS:
        return False
    present = f"bit_count(bitstring_agg({parent.column}, {held.low}, {held.high}))"
    within = f"{parent.column} BETWEEN {held.low} AND {held.high}"
    query = f"SELECT {present} FROM {parent.relation.sql} WHERE {within}"
    return cursor.execute(query).fetchall() == [(held.width,)]
