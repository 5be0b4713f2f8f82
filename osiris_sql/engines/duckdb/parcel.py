"""Some relations of a warehouse as a warehouse of their own, to be carried to another machine.

A DuckDB file and not Parquet: in Parquet HUGEINT becomes DOUBLE, INTERVAL loses its microseconds, and
BIT, ENUM, UNION, BIGNUM, fixed arrays and time zones change their type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from osiris_sql.engines.duckdb.catalog import place_of
from osiris_sql.support import wire
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import RelationRef, quote_identifier

if TYPE_CHECKING:
    from osiris_sql.engines.duckdb.transaction import DuckDBTransaction

STATE_TABLE = "CREATE TABLE IF NOT EXISTS osiris.state (node VARCHAR PRIMARY KEY, record VARCHAR NOT NULL)"
STORED = """
SELECT count(DISTINCT block_id) * 262144 FROM pragma_storage_info($1) WHERE block_id >= 0"""


def list_parcel(
    cursor: duckdb.DuckDBPyConnection, relations: Iterable[RelationRef]
) -> tuple[list[RelationRef], dict[RelationRef, str]]:
    """Return which of the relations are tables, and the SQL of those that are views; others are left out."""
    tables, views = _relations(cursor, "current_database()")
    found, seen = set(map(place_of, tables)), {place_of(view): sql for view, sql in views.items()}
    wanted = list(relations)
    return (
        [relation for relation in wanted if place_of(relation) in found],
        {relation: seen[place_of(relation)] for relation in wanted if place_of(relation) in seen},
    )


def _relations(
    cursor: duckdb.DuckDBPyConnection, database: str
) -> tuple[list[RelationRef], dict[RelationRef, str]]:
    """Return the tables of a database, and its views with their SQL, in the order in which they were made."""
    of_it = f"WHERE database_name = {database} AND NOT internal"
    tables = cursor.execute(
        f"SELECT schema_name, table_name FROM duckdb_tables() {of_it} ORDER BY table_oid"
    ).fetchall()
    views = cursor.execute(
        f"SELECT schema_name, view_name, sql FROM duckdb_views() {of_it} ORDER BY view_oid"
    ).fetchall()
    return [RelationRef(*row) for row in tables], {RelationRef(s, v): sql for s, v, sql in views}


def stored_bytes(cursor: duckdb.DuckDBPyConnection, relation: RelationRef) -> int:
    """Return about how many bytes a table takes on disk, in whole blocks."""
    [(size,)] = cursor.execute(STORED, [relation.sql]).fetchall()
    return int(size)


def write_parcel(
    cursor: duckdb.DuckDBPyConnection,
    path: Path,
    relations: Sequence[RelationRef],
    states: Iterable[StepState],
    empty: Iterable[RelationRef],
    storage: str,
) -> None:
    """Write a new warehouse that holds these relations and these states, nothing else.

    A view must come after what it reads; of those in `empty` the columns alone go along.
    """
    tables, views = list_parcel(cursor, relations)
    selects = {table: f"FROM {table.sql}" for table in tables}
    for without in list_parcel(cursor, empty):
        selects |= {relation: f"FROM {relation.sql} LIMIT 0" for relation in without}
    cursor.execute(f"ATTACH {_quoted(path)} AS osiris_parcel (READ_WRITE, STORAGE_VERSION '{storage}')")
    try:
        cursor.execute("BEGIN")
        for schema in sorted({relation.schema for relation in selects} - {"main"}):
            cursor.execute(f"CREATE SCHEMA osiris_parcel.{quote_identifier(schema)}")
        for relation, select in selects.items():
            cursor.execute(f"CREATE TABLE osiris_parcel.{relation.sql} AS {select}")
        cursor.execute("COMMIT")
    finally:
        cursor.execute("DETACH osiris_parcel")
    with duckdb.connect(str(path)) as parcel:
        parcel.execute("CREATE SCHEMA IF NOT EXISTS osiris")
        parcel.execute(STATE_TABLE)
        for state in states:
            parcel.execute("INSERT INTO osiris.state VALUES ($1, $2)", [state.step, wire.to_json(state)])
        for view, sql in views.items():
            parcel.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(view.schema)}")
            parcel.execute(sql)


def take_parcel(transaction: DuckDBTransaction, cursor: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Take over a parcel's relations and states; it stays attached as `osiris_parcel`."""
    cursor.execute(f"ATTACH {_quoted(path)} AS osiris_parcel (READ_ONLY)")
    tables, views = _relations(cursor, "'osiris_parcel'")
    records = cursor.execute("SELECT record FROM osiris_parcel.osiris.state ORDER BY node").fetchall()
    for table in tables:
        if table.schema != "osiris":
            transaction.replace_table(table, f"FROM osiris_parcel.{table.sql}", "")
    for view, sql in views.items():
        transaction.drop(view)
        cursor.execute(sql)
        transaction.changed[place_of(view)] = "view"
    for (record,) in records:
        transaction.write_state(wire.from_json(StepState, record))


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
