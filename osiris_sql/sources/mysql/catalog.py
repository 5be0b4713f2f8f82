"""What tables and columns a database has, read from information_schema in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from osiris_sql.protocols import DiscoveredTable, ForeignKey
from osiris_sql.sources._outside import outside_snapshot
from osiris_sql.sources.mysql.connect import Connection, query
from osiris_sql.sources.mysql.encode import ServerColumn, duckdb_type
from osiris_sql.support.nearest import nearest_names
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.relation import Column, TableSchema

READABLE = ("BASE TABLE", "VIEW", "SYSTEM VERSIONED")


@dataclass(frozen=True, kw_only=True)
class ServerTable:
    """A table as the server names it, with its columns in order."""

    name: str
    columns: tuple[ServerColumn, ...]


def find_table(connection: Connection, database: str, name: str) -> ServerTable:
    """Return one table; raises StepError that names the nearest ones."""
    found = table_columns(connection, database, [name])
    chosen = name if name in found else _same_but_for_case(connection, found, name)
    if chosen is None:
        raise _unknown_table(connection, database, name)
    return ServerTable(name=chosen, columns=tuple(found[chosen]))


def discover_tables(
    connection: Connection, database: str, identifiers: Sequence[str] | None
) -> list[DiscoveredTable]:
    """Return the named tables and views, or all, by name."""
    if identifiers is not None and not identifiers:
        return []
    columns = table_columns(connection, database, identifiers)
    keys = primary_keys(connection, database, identifiers)
    foreign = _foreign_keys(connection, database, identifiers)
    where, parameters = _named("TABLE_NAME", identifiers)
    tables = query(
        connection,
        "SELECT TABLE_NAME, TABLE_TYPE, TABLE_COMMENT, TABLE_ROWS FROM information_schema.TABLES"
        f" WHERE TABLE_SCHEMA = %s{where} ORDER BY TABLE_NAME",
        (database, *parameters),
    )
    wanted = None if identifiers is None else set(identifiers)
    return [
        DiscoveredTable(
            identifier=name,
            schema=_schema(columns.get(name, []), tuple(keys.get(name, ()))),
            comment="" if kind == "VIEW" else comment,
            rows=rows,
            foreign_keys=tuple(foreign.get(name, ())),
        )
        for name, kind, comment, rows in tables
        if kind in READABLE and (wanted is None or name in wanted)
    ]


def engines_without_snapshot(
    connection: Connection, database: str, names: Sequence[str] | None = None
) -> list[str]:
    """Return which tables (None: of all) have an engine without transactions: no snapshot holds them."""
    where, parameters = _named("TABLE_NAME", names)
    rows = query(
        connection,
        "SELECT TABLE_NAME FROM information_schema.TABLES t JOIN information_schema.ENGINES e"
        f" ON e.ENGINE = t.ENGINE WHERE TABLE_SCHEMA = %s{where} AND e.TRANSACTIONS = 'NO'"
        " ORDER BY TABLE_NAME",
        (database, *parameters),
    )
    return [name for (name,) in rows]


def warn_outside(tables: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Return a warning that names the tables, if there are any."""
    fix = "ALTER TABLE ... ENGINE=InnoDB, or read them when nobody writes"
    return outside_snapshot(tables, "their engine has no transactions", fix)


def row_estimates(connection: Connection, database: str, names: Sequence[str]) -> dict[str, int]:
    """Return about how many rows tables have, as the server estimates it; of a view it does not."""
    where, parameters = _named("TABLE_NAME", names)
    rows = query(
        connection,
        f"SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s{where}",
        (database, *parameters),
    )
    return {name: int(count or 0) for name, count in rows}


def _schema(columns: Sequence[ServerColumn], key: tuple[str, ...]) -> TableSchema:
    return TableSchema(
        columns=tuple(
            Column(name=c.name, type=duckdb_type(c), nullable=c.nullable, description=c.comment)
            for c in columns
        ),
        key=key,
    )


def table_columns(
    connection: Connection, database: str, names: Sequence[str] | None
) -> dict[str, list[ServerColumn]]:
    """Return the columns in order, by table."""
    where, parameters = _named("TABLE_NAME", names)
    rows = query(
        connection,
        "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE,"
        " CHARACTER_SET_NAME, IS_NULLABLE, COLUMN_COMMENT FROM information_schema.COLUMNS"
        f" WHERE TABLE_SCHEMA = %s{where} ORDER BY TABLE_NAME, ORDINAL_POSITION",
        (database, *parameters),
    )
    found: dict[str, list[ServerColumn]] = {}
    for table, name, kind, full, precision, scale, charset, nullable, comment in rows:
        column = ServerColumn(
            name=name,
            kind=kind.lower(),
            unsigned="unsigned" in full.lower() or "zerofill" in full.lower(),
            precision=precision,
            scale=scale,
            charset=charset,
            nullable=nullable == "YES",
            comment=comment or "",
        )
        found.setdefault(table, []).append(column)
    return found


def primary_keys(connection: Connection, database: str, names: Sequence[str] | None) -> dict[str, list[str]]:
    """Return the columns of the primary keys, in order, by table."""
    where, parameters = _named("TABLE_NAME", names)
    rows = query(
        connection,
        "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS"
        f" WHERE TABLE_SCHEMA = %s{where} AND INDEX_NAME = 'PRIMARY' ORDER BY TABLE_NAME, SEQ_IN_INDEX",
        (database, *parameters),
    )
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    return found


def _foreign_keys(
    connection: Connection, database: str, names: Sequence[str] | None
) -> dict[str, list[ForeignKey]]:
    where, parameters = _named("TABLE_NAME", names)
    rows = query(
        connection,
        "SELECT TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME"
        f" FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = %s{where}"
        " AND REFERENCED_TABLE_SCHEMA = TABLE_SCHEMA"
        " ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
        (database, *parameters),
    )
    found: dict[str, list[ForeignKey]] = {}
    for (table, _, other), parts in groupby(rows, key=lambda row: row[:3]):
        pairs = [(column, referenced) for *_, column, referenced in parts]
        columns, references = zip(*pairs, strict=True)
        found.setdefault(table, []).append(ForeignKey(columns=columns, table=other, references=references))
    return found


def _named(column: str, names: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    if names is None:
        return "", ()
    return f" AND {column} IN ({', '.join(['%s'] * len(names))})", tuple(names)


def _same_but_for_case(connection: Connection, found: dict[str, list[ServerColumn]], name: str) -> str | None:
    [(lowered,)] = query(connection, "SELECT @@lower_case_table_names")
    if not lowered:
        return None
    return next((table for table in found if table.lower() == name.lower()), None)


def _unknown_table(connection: Connection, database: str, name: str) -> StepError:
    rows = query(
        connection, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", (database,)
    )
    near = nearest_names(name, [table for (table,) in rows], 3)
    return StepError(
        Diagnostic(
            rule="unknown-table",
            message=f'database {database} has no table "{name}" that the user may see',
            why=f"it shows {len(rows)} tables" + (f"; near: {', '.join(near)}" if near else ""),
            fix="check `identifier` in sources.yml, the environment, and the user's SELECT privilege",
        )
    )
