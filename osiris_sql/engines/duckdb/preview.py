"""The first rows of a query, for a person to look at."""

from __future__ import annotations

from typing import Any

import duckdb

from osiris_sql.types.relation import Column, TableSchema, quote_identifier


def preview(
    cursor: duckdb.DuckDBPyConnection, sql: str, limit: int
) -> tuple[TableSchema, list[tuple[Any, ...]]]:
    """Return the first rows of a query in a total order, values as text."""
    described = cursor.execute(f"DESCRIBE SELECT * FROM (\n{sql}\n)").fetchall()
    schema = TableSchema(columns=tuple(Column(name=row[0], type=row[1]) for row in described))
    texts = ", ".join(f"{quote_identifier(name)}::VARCHAR" for name in schema.names)
    ordered = f"SELECT * FROM (\n{sql}\n) ORDER BY ALL LIMIT {int(limit)}"
    return schema, cursor.execute(f"SELECT {texts} FROM ({ordered})").fetchall()
