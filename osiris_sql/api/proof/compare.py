"""Two tables compared as bags of rows, and which columns make them differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from osiris_sql.api.proof.findings import Moved
from osiris_sql.types.relation import TableSchema, quote_identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 3

# Types whose equal values can be told apart (-0.0 and 0.0, 1 month and 30 days) or whose hash is blind.
_BY_TEXT = re.compile(r"^(FLOAT|DOUBLE|ENUM|INTERVAL|STRUCT|MAP|UNION|VARIANT|TUPLE|TIME WITH)|[\[\]]")


def exact_values(schema: TableSchema, names: Sequence[str]) -> list[str]:
    """Return SQL for values that are equal only if nobody can tell them apart."""
    types = {column.name: column.type for column in schema.columns}
    quoted = ((name, quote_identifier(name)) for name in names)
    return [f"{sql}::VARCHAR" if _BY_TEXT.search(types[name]) else sql for name, sql in quoted]


def fingerprint(cursor: DuckDBPyConnection, table: str, schema: TableSchema, names: Sequence[str]) -> Any:
    """Return the identity of the rows of a table, cut to some columns."""
    values = exact_values(schema, names)
    total = f"sum(hash({', '.join(values)})::HUGEINT)" if values else "0"
    return cursor.execute(f"SELECT count(*), {total} FROM {table}").fetchone()


def compare_tables(
    cursor: DuckDBPyConnection,
    trial: str,
    first: str,
    again: str,
    schema: TableSchema,
    suspects: Sequence[str],
) -> Moved | None:
    """Return how two tables of one schema differ, or None if they hold the same rows.

    `suspects` are all columns, those that are likelier to move first.
    """
    rows = tuple(fingerprint(cursor, table, schema, schema.names) for table in (first, again))
    if rows[0] == rows[1]:
        return None
    moved: tuple[str, ...] = ()
    if rows[0][0] == rows[1][0]:
        moved = _moved_columns(cursor, first, again, schema, suspects)
    steady = [name for name in schema.names if name not in moved]
    return Moved(
        trial=trial,
        columns=tuple(name for name in schema.names if name in moved),
        rows=(rows[0][0], rows[1][0]),
        differing=_count_apart(cursor, first, again, schema),
        only_first=_apart(cursor, first, again, schema, steady),
        only_again=_apart(cursor, again, first, schema, steady),
    )


def _moved_columns(
    cursor: DuckDBPyConnection, first: str, again: str, schema: TableSchema, suspects: Sequence[str]
) -> tuple[str, ...]:
    """Return the columns whose own values differ, then those that only their pairing with others shows."""

    def same(names: Sequence[str]) -> bool:
        one, two = (fingerprint(cursor, table, schema, names) for table in (first, again))
        return bool(one == two)

    moved = [name for name in suspects if not same([name])]
    rest = [name for name in suspects if name not in moved]
    while not same(rest):
        gone = next((name for name in rest if same([n for n in rest if n != name])), rest[0])
        moved.append(gone)
        rest.remove(gone)
    return tuple(moved)


def _except(first: str, again: str, schema: TableSchema) -> str:
    texts = ", ".join(f"{q}::VARCHAR AS {q}" for q in map(quote_identifier, schema.names))
    return f"SELECT {texts} FROM {first} EXCEPT ALL SELECT {texts} FROM {again}"


def _count_apart(cursor: DuckDBPyConnection, first: str, again: str, schema: TableSchema) -> int:
    [(count,)] = cursor.execute(f"SELECT count(*) FROM ({_except(first, again, schema)})").fetchall()
    return int(count)


def _apart(
    cursor: DuckDBPyConnection, first: str, again: str, schema: TableSchema, steady: Sequence[str]
) -> tuple[dict[str, str | None], ...]:
    """Return the first rows that only one table has, by the columns that stay, so that pairs meet."""
    moved = [name for name in schema.names if name not in steady]
    order = ", ".join(map(quote_identifier, [*steady, *moved]))
    sql = f"SELECT * FROM ({_except(first, again, schema)}) ORDER BY {order} LIMIT {SHOWN}"
    return tuple(dict(zip(schema.names, row, strict=True)) for row in cursor.execute(sql).fetchall())
