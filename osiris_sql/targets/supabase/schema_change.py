"""A table that osiris-sql made, brought to the shape of a changed model."""

from dataclasses import replace

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.catalog import Table, TableColumn
from osiris_sql.targets.supabase.create import RELOAD, comment_statement, create_statements
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier


def change_statements(publication: Publish, table: Table) -> list[str]:
    """Return the DDL that fits the table to the publication; nothing unless a publication made it.

    A new column is added by itself, a new description written; other types and columns that are gone
    only on request.
    """
    added, altered, dropped = _differences(publication, table)
    if (altered or dropped) and publication.on_schema_change == "rebuild":
        return [drop_statement(table), *create_statements(publication, table.schema)]
    statements = [f"ALTER TABLE {table.sql} ADD COLUMN {_named(c)} {_type(c)}" for c in added]
    if publication.on_schema_change == "sync":
        statements += [
            f"ALTER TABLE {table.sql} ALTER COLUMN {_named(c)} TYPE {_type(c)} USING {_named(c)}::{_type(c)}"
            for c in altered
        ]
        statements += [f"ALTER TABLE {table.sql} DROP COLUMN {quote_identifier(c.name)}" for c in dropped]
    return [*statements, *_comments(publication, table)]


def _comments(publication: Publish, table: Table) -> list[str]:
    if not publication.create or not table.made_here:
        return []
    statements = []
    if publication.description and publication.description != table.comment:
        statements.append(comment_statement(table.sql, publication.description))
    for column in publication.columns:
        there = table.column(column.name)
        if column.description and (not there or there.comment != column.description):
            statements.append(comment_statement(table.sql, column.description, column.name))
    return statements


def drop_statement(table: Table) -> str:
    """Return the first statement of a rebuild; it fails where a view or another table hangs on the table."""
    return f"DROP TABLE {table.sql}"


def changed_table(publication: Publish, table: Table) -> Table | None:
    """Return the table as it will be after its change statements, None if it is made anew."""
    statements = change_statements(publication, table)
    if statements[:1] == [drop_statement(table)]:
        return None
    added, altered, dropped = _differences(publication, table)
    columns = table.columns
    if publication.on_schema_change == "sync":
        types = {column.name: _type(column) for column in altered}
        columns = tuple(replace(c, type=types.get(c.name, c.type)) for c in columns if c not in dropped)
    return replace(table, columns=(*columns, *(TableColumn(name=c.name, type=_type(c)) for c in added)))


def change_mistakes(publication: Publish, table: Table) -> list[Diagnostic]:
    """Return why the table can't be brought to the publication's shape."""
    if changed_table(publication, table) is not None or publication.mode in ("replace", "sync"):
        return []
    message = f"on_schema_change: rebuild would lose rows that mode {publication.mode} does not deliver again"
    fix = "say on_schema_change: sync, or mode: replace"
    return [refusal(publication, "rebuild-loses-rows", message, fix=fix)]


def change_notes(publication: Publish, table: Table) -> tuple[str, ...]:
    """Return which differences are left as they are."""
    _, altered, dropped = _differences(publication, table)
    if publication.on_schema_change == "rebuild" and (altered or dropped):
        return ("made anew: its policies, grants and triggers of before go with it",)
    if publication.on_schema_change != "add":
        return ()
    notes = [
        f"{c.name} stays {there.type}, the model's type is {_type(c)} (on_schema_change: sync changes it)"
        for c in altered
        if (there := table.column(c.name))
    ]
    left = ", ".join(c.name for c in dropped)
    return (*notes, *([f"not in the model, left alone: {left}"] if left else []))


def change_table(cursor: Cursor, publication: Publish, table: Table) -> bool:
    """Alter the table, if it must be, and tell the REST server; return whether it was altered."""
    statements = change_statements(publication, table)
    for statement in statements:
        cursor.execute(statement)
    if statements:
        cursor.execute(RELOAD)
    return bool(statements)


def _differences(publication: Publish, table: Table) -> tuple[list[Column], list[Column], list[TableColumn]]:
    """Columns to add, columns of another type, and columns that the model no longer has."""
    if not publication.create or not table.made_here:
        return [], [], []
    delivered = {column.name for column in publication.columns}
    added = [c for c in publication.columns if not table.column(c.name)]
    altered = [
        c
        for c in publication.columns
        if (there := table.column(c.name)) and not there.generated and there.type != _type(c)
    ]
    dropped = [c for c in table.columns if c.name not in delivered and not c.generated and not c.identity]
    return added, altered, dropped


def _named(column: Column) -> str:
    return quote_identifier(column.name)


def _type(column: Column) -> str:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    return made.name
