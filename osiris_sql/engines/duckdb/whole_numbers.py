"""What the engine knows of columns of whole numbers, next to nothing being read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from osiris_sql.types.relation import RelationRef

BITS = 2**26
"""The widest set of bits, 8 MiB for each thread; DuckDB itself takes up to 10^9."""
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


@dataclass(frozen=True, slots=True)
class Range:
    """How many numbers there are, and the least and the greatest of them."""

    count: int
    low: int
    high: int

    @property
    def width(self) -> int:
        """How many whole numbers lie in the range."""
        return self.high - self.low + 1


def types_of(
    cursor: duckdb.DuckDBPyConnection, relation: RelationRef, columns: Sequence[str]
) -> dict[str, str]:
    """Return the types of columns by their names as they stand in SQL."""
    described = cursor.execute(f"SELECT {', '.join(columns)} FROM {relation.sql} LIMIT 0").description or []
    # The first of a description is the name, the second the type.
    return {column: str(found[1]) for column, found in zip(columns, described, strict=True)}


def ranges(
    cursor: duckdb.DuckDBPyConnection, relation: RelationRef, types: Mapping[str, str]
) -> dict[str, Range]:
    """Return the range of each column of a table that holds whole numbers, and one at least."""
    columns = [column for column, type_ in types.items() if type_ in WHOLE]
    if not columns:
        return {}
    # The engine keeps the least and the greatest value of each row group: this reads next to nothing.
    asked = ", ".join(f"count({c}), min({c})::HUGEINT, max({c})::HUGEINT" for c in columns)
    [row] = cursor.execute(f"SELECT {asked} FROM {relation.sql}").fetchall()
    found = {column: row[3 * i : 3 * i + 3] for i, column in enumerate(columns)}
    return {column: Range(*three) for column, three in found.items() if three[0]}
