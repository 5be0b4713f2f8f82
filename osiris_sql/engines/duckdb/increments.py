"""New rows on their way into a table that keeps its old ones: first beside it, then folded in by key."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from osiris_sql.engines.duckdb.dense_keys import is_dense_and_unique
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.relation import Column, RelationRef, TableSchema, quote_identifier

SHARE = 1_000_000
"""Rows whose keys are told apart at once: a hash table of 50 to 100 MB, whatever the size of the table."""

INCREMENT = RelationRef("temp", "osiris_increment")


def same_key(key: Iterable[str], one: str, other: str) -> str:
    """Return the SQL condition that two rows have one key; NULL is a value like any."""
    return " AND ".join(f"{one}.{q} IS NOT DISTINCT FROM {other}.{q}" for q in map(quote_identifier, key))


def key_violations(
    cursor: duckdb.DuckDBPyConnection, relation: RelationRef, key: tuple[str, ...], *, is_table: bool
) -> tuple[int, int]:
    """Return how many rows have a NULL in the key, and how many keys occur more than once."""
    names = [quote_identifier(name) for name in key]
    absent = " OR ".join(f"{name} IS NULL" for name in names)
    columns = ", ".join(names)
    [(rows, nulls)] = cursor.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {absent}) FROM {relation.sql}"
    ).fetchall()
    if is_table and not nulls and len(names) == 1 and is_dense_and_unique(cursor, relation, columns):
        return 0, 0
    shares = rows // SHARE + 1 if is_table else 1  # a view is computed for each share
    repeated = 0
    for share in range(shares):
        some = f"WHERE hash({columns}) % {shares} = {share}" if shares > 1 else ""
        groups = f"SELECT 1 FROM {relation.sql} {some} GROUP BY {columns} HAVING count(*) > 1"
        [(found,)] = cursor.execute(f"SELECT count(*) FROM ({groups})").fetchall()
        repeated += found
    return nulls, repeated


def refuse_repeated(cursor: duckdb.DuckDBPyConnection, relation: RelationRef, key: tuple[str, ...]) -> None:
    """Raise StepError unless the key identifies the rows of a table."""
    nulls, repeated = key_violations(cursor, relation, key, is_table=True)
    if nulls or repeated:
        raise StepError(
            Diagnostic(
                rule="key-not-unique",
                message=f"the key ({', '.join(key)}) does not identify the new rows",
                why=f"{nulls} rows have a NULL in it, {repeated} keys occur more than once",
                fix="name the columns that identify a row, or make the rows unique before",
            )
        )


def fold_increment(
    cursor: duckdb.DuckDBPyConnection, relation: RelationRef, columns: Iterable[str], key: tuple[str, ...]
) -> int:
    """Move the increment into a table with these columns, rows of the same key going; return them counted."""
    if key:
        same = same_key(key, "t", "i")
        cursor.execute(f"DELETE FROM {relation.sql} AS t USING {INCREMENT.sql} AS i WHERE {same}").fetchall()
    names = ", ".join(map(quote_identifier, columns))
    [(added,)] = cursor.execute(
        f"INSERT INTO {relation.sql} ({names}) SELECT {names} FROM {INCREMENT.sql}"
    ).fetchall()
    cursor.execute(f"DROP TABLE {INCREMENT.sql}")
    return int(added)


def reshaped(there: TableSchema, column: Column) -> str:
    """Return a column of a table as SQL in its new type, NULL if it was not there."""
    name = quote_identifier(column.name)
    value = "NULL" if there.type_of(column.name) is None else name
    return f"CAST({value} AS {column.type}) AS {name}"
