"""Offending rows kept for a person to look at, whatever becomes of the transaction that found them."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from osiris_sql.types.relation import RelationRef, quote_identifier

# Parquet holds these exactly; any other type is kept as text (a HUGEINT would become a DOUBLE).
_EXACT = re.compile(
    r"U?(TINY|SMALL|BIG)?INT(EGER)?|DECIMAL\(.*\)|DOUBLE|FLOAT|BOOLEAN|VARCHAR|DATE|"
    r"TIMESTAMP( WITH TIME ZONE)?"
)


def spool_rows(cursor: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    """Write the rows of a query to a Parquet file, which a rollback leaves there."""
    described = cursor.execute(f"DESCRIBE SELECT * FROM (\n{sql}\n)").fetchall()
    columns = ", ".join(
        name if _EXACT.fullmatch(row[1]) else f"{name}::VARCHAR AS {name}"
        for row in described
        for name in [quote_identifier(row[0])]
    )
    cursor.execute(f"COPY (SELECT {columns} FROM (\n{sql}\n)) TO {_text(path)} (FORMAT parquet)").fetchall()


def keep_rows(cursor: duckdb.DuckDBPyConnection, relation: RelationRef, path: Path) -> None:
    """Put the rows of a spooled file in a table's place."""
    cursor.execute(
        f"CREATE OR REPLACE TABLE {relation.sql} AS SELECT * FROM read_parquet({_text(path)})"
    ).fetchall()


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
