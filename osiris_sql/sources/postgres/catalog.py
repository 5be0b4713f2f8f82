"""What tables and columns a schema has, as far as the user may read them, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812

from osiris_sql.protocols import DiscoveredTable, ForeignKey
from osiris_sql.sources.postgres.connect import query
from osiris_sql.sources.postgres.encode import ServerColumn, duckdb_type
from osiris_sql.types.relation import Column, TableSchema

FROM = """
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
"""
WHERE = """
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
AND (%(names)s::text[] IS NULL OR c.relname = ANY (%(names)s::text[]))
"""
COLUMNS = f"""
SELECT c.relname, a.attname, coalesce(b.typname, t.typname),
CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END, NOT (a.attnotnull OR t.typnotnull),
coalesce(pg_catalog.col_description(c.oid, a.attnum), '')
{FROM} JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
{WHERE} AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY c.relname, a.attnum
"""
TABLES = f"""
SELECT c.relname, coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), ''),
CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'm') THEN c.reltuples::bigint END, c.relkind = 'f'
{FROM} {WHERE} ORDER BY c.relname
"""
KEYS = f"""
SELECT c.relname, a.attname
{FROM} JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS p (number, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.number
{WHERE} ORDER BY c.relname, p.place
"""
FOREIGN = f"""
SELECT c.relname, k.conname, f.relname, a.attname, r.attname
{FROM} JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
JOIN pg_catalog.pg_class f ON f.oid = k.confrelid AND f.relnamespace = c.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS p (number, referenced, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.number
JOIN pg_catalog.pg_attribute r ON r.attrelid = f.oid AND r.attnum = p.referenced
{WHERE} ORDER BY c.relname, k.conname, p.place
"""


def read_columns(
    connection: Connection, schema: str, names: Sequence[str] | None
) -> dict[str, list[ServerColumn]]:
    """Return the columns that may be read, by table."""
    found: dict[str, list[ServerColumn]] = {}
    for table, name, kind, modifier, nullable, comment in _ask(connection, COLUMNS, schema, names):
        column = ServerColumn(name=name, kind=kind, modifier=modifier, nullable=nullable, comment=comment)
        found.setdefault(table, []).append(column)
    return found


def discover_tables(
    connection: Connection, schema: str, names: Sequence[str] | None
) -> list[DiscoveredTable]:
    """Return the named tables and views of a schema, or all, by name."""
    columns = read_columns(connection, schema, names)
    keys: dict[str, list[str]] = {}
    for table, column in _ask(connection, KEYS, schema, names):
        keys.setdefault(table, []).append(column)
    foreign = _foreign_keys(connection, schema, names)
    return [
        DiscoveredTable(
            identifier=name,
            schema=_schema(columns[name], tuple(keys.get(name, ()))),
            comment=comment,
            rows=rows,
            foreign_keys=tuple(foreign.get(name, ())),
        )
        for name, comment, rows, _ in _ask(connection, TABLES, schema, names)
        if name in columns
    ]


def foreign_tables(connection: Connection, schema: str) -> list[str]:
    """Return the tables that live on other servers, so that our instant is not theirs."""
    return [name for name, _, _, foreign in _ask(connection, TABLES, schema, None) if foreign]


def _foreign_keys(
    connection: Connection, schema: str, names: Sequence[str] | None
) -> dict[str, list[ForeignKey]]:
    found: dict[str, list[ForeignKey]] = {}
    rows = _ask(connection, FOREIGN, schema, names)
    for (table, _, other), parts in groupby(rows, key=lambda row: row[:3]):
        columns, references = zip(*(row[3:] for row in parts), strict=True)
        found.setdefault(table, []).append(ForeignKey(columns=columns, table=other, references=references))
    return found


def _schema(columns: Sequence[ServerColumn], key: tuple[str, ...]) -> TableSchema:
    made = tuple(
        Column(name=c.name, type=duckdb_type(c), nullable=c.nullable, description=c.comment) for c in columns
    )
    return TableSchema(columns=made, key=key if {c.name for c in columns}.issuperset(key) else ())


def _ask(connection: Connection, sql: str, schema: str, names: Sequence[str] | None) -> list[Any]:
    return query(connection, sql, {"schema": schema, "names": None if names is None else list(names)})
