"""One delivery into a DuckDB file: compare, create, apply, count, ledger row, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris_sql.protocols import Load
from osiris_sql.targets._modes import check_arrived, raise_all, refusal
from osiris_sql.targets._rows import Changes, differs, foresee, missing_rows, names, number, same_key
from osiris_sql.targets.duckdb import ledger
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier

if TYPE_CHECKING:
    import duckdb


def table_name(publication: Publish) -> str:
    """Return the quoted name of the publication's table."""
    return f"{quote_identifier(publication.schema or 'main')}.{quote_identifier(publication.table)}"


def read_columns(cursor: duckdb.DuckDBPyConnection, publication: Publish) -> tuple[Column, ...]:
    """Return the columns of the publication's table, none if there is no such table."""
    rows = cursor.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns() JOIN duckdb_tables()"
        " USING (database_name, schema_name, table_name) WHERE database_name = current_database()"
        " AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [publication.schema or "main", publication.table],
    ).fetchall()
    return tuple(Column(name=name, type=type_, nullable=nullable) for name, type_, nullable in rows)


def table_mistakes(publication: Publish, columns: tuple[Column, ...]) -> list[Diagnostic]:
    """Return why the publication can't be delivered into a table of these columns."""
    if not columns:
        if publication.create:
            return []
        fix = "say create: true, or make the table first"
        return [refusal(publication, "unknown-table", "the table does not exist", fix=fix)]
    there = {column.name for column in columns}
    return [
        refusal(
            publication,
            "unknown-column",
            f'the table has no column "{column.name}"',
            why=f"its columns: {', '.join(sorted(there))}",
            fix="add the column, or leave it out of the model",
        )
        for column in publication.columns
        if column.name not in there
    ]


def deliver(cursor: duckdb.DuckDBPyConnection, publication: Publish, load: Load, spool: str) -> int | None:
    """Deliver inside an open transaction; return the ledger row's number, None if nothing was to do."""
    table, columns = table_name(publication), read_columns(cursor, publication)
    raise_all(table_mistakes(publication, columns))
    ledger.ensure_ledger(cursor)
    if columns and _is_delivered(cursor, publication, load, table):
        return None
    check_arrived(
        publication, load.rows, number(cursor, f"SELECT count(*) FROM {spool}"), what="rows were spooled"
    )
    if not columns:
        changes = _fill_new(cursor, publication, table, spool, load.rows)
        return ledger.write_delivery(cursor, publication, table, load, changes, created=True)
    raise_all(_misfits(cursor, publication, columns, spool))
    changes = foresee(cursor, publication, table, spool)
    _apply(cursor, publication, table, spool)
    _verify(cursor, publication, table, spool, changes)
    return ledger.write_delivery(cursor, publication, table, load, changes, created=False)


def _fill_new(
    cursor: duckdb.DuckDBPyConnection, publication: Publish, table: str, spool: str, rows: int
) -> Changes:
    _create(cursor, publication, table)
    columns = names([column.name for column in publication.columns])
    cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {spool}").fetchall()
    total = number(cursor, f"SELECT count(*) FROM {table}")
    check_arrived(publication, rows, total, what="rows should be in the table")
    return Changes(inserted=rows, total_after=total)


def _is_delivered(cursor: duckdb.DuckDBPyConnection, publication: Publish, load: Load, table: str) -> bool:
    if publication.mode == "append":
        return ledger.was_appended(cursor, table, load.load_id)
    rows = number(cursor, f"SELECT count(*) FROM {table}")
    return ledger.latest_load(cursor, table, publication.mode, rows) == load.load_id


def _misfits(
    cursor: duckdb.DuckDBPyConnection, publication: Publish, columns: tuple[Column, ...], spool: str
) -> list[Diagnostic]:
    """DuckDB would round a value into a narrower column without a word."""
    there, found = {column.name: column.type for column in columns}, []
    for column in publication.columns:
        wanted, name = there[column.name], quote_identifier(column.name)
        if wanted == column.type:
            continue
        back = f"TRY_CAST(TRY_CAST({name} AS {wanted}) AS {column.type})"
        row = cursor.execute(
            f"SELECT count(*), min({name}::VARCHAR) FROM {spool} WHERE {back} IS DISTINCT FROM {name}"
        ).fetchone()
        if row and row[0]:
            message = f"{row[0]} values of {column.name} don't fit {wanted} exactly; nothing was changed"
            fix = "cast them in the model, or widen the column"
            found.append(
                refusal(publication, "value-does-not-fit", message, why=f"one of them: {row[1]}", fix=fix)
            )
    return found


def _create(cursor: duckdb.DuckDBPyConnection, publication: Publish, table: str) -> None:
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(publication.schema or 'main')}")
    # No PRIMARY KEY: its index would have to fit in memory, and each delivery checks the key anyway.
    lines = (
        f"{quote_identifier(c.name)} {c.type}"
        + (" NOT NULL" if c.name in publication.key or not c.nullable else "")
        for c in publication.columns
    )
    cursor.execute(f"CREATE TABLE {table} ({', '.join(lines)})")
    if publication.description:
        cursor.execute(f"COMMENT ON TABLE {table} IS {_literal(publication.description)}")
    for column in publication.columns:
        if column.description:
            place = f"{table}.{quote_identifier(column.name)}"
            cursor.execute(f"COMMENT ON COLUMN {place} IS {_literal(column.description)}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _apply(cursor: duckdb.DuckDBPyConnection, publication: Publish, table: str, spool: str) -> None:
    columns = names([column.name for column in publication.columns])
    insert = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {spool} AS s"
    if not publication.key:
        if publication.mode == "replace":
            cursor.execute(f"DELETE FROM {table}").fetchall()
        cursor.execute(insert).fetchall()
    elif publication.mode == "append":
        known = f"SELECT 1 FROM {table} AS t WHERE {same_key(publication.key, 't', 's')}"
        cursor.execute(f"{insert} WHERE NOT EXISTS ({known})").fetchall()
    else:
        cursor.execute(_merge(publication, table, spool)).fetchall()


def _merge(publication: Publish, table: str, spool: str) -> str:
    columns = [column.name for column in publication.columns]
    rest = (quote_identifier(name) for name in columns if name not in publication.key)
    assignments = ", ".join(f"{name} = s.{name}" for name in rest)
    clauses = [f"MERGE INTO {table} AS t USING {spool} AS s ON ({same_key(publication.key, 't', 's')})"]
    if assignments:
        clauses.append(f"WHEN MATCHED AND ({differs(publication, 't', 's')}) THEN UPDATE SET {assignments}")
    clauses.append(f"WHEN NOT MATCHED THEN INSERT ({names(columns)}) VALUES ({names(columns, 's.')})")
    if publication.mode in ("replace", "sync"):
        clauses.append("WHEN NOT MATCHED BY SOURCE THEN DELETE")
    return " ".join(clauses)


def _verify(
    cursor: duckdb.DuckDBPyConnection, publication: Publish, table: str, spool: str, changes: Changes
) -> None:
    total = number(cursor, f"SELECT count(*) FROM {table}")
    check_arrived(publication, changes.total_after, total, what="rows should be in the table")
    if publication.key:
        lacking = missing_rows(cursor, publication, table, spool)
        check_arrived(publication, 0, lacking, what="delivered rows may be missing")
