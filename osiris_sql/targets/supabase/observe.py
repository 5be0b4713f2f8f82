"""The target table as planning sees it: columns, key, what was last delivered, what stands in the way."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets.supabase import ledger
from osiris_sql.targets.supabase.catalog import Table, read_table
from osiris_sql.targets.supabase.create import RELOAD, create_statements, grant_statements, has_service
from osiris_sql.targets.supabase.preflight import (
    publication_mistakes,
    publication_notes,
    table_mistakes,
    table_notes,
)
from osiris_sql.targets.supabase.schema_change import (
    change_mistakes,
    change_notes,
    change_statements,
    changed_table,
)
from osiris_sql.targets.supabase.types import duckdb_type
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, TableSchema, quote_identifier


def observe_table(cursor: Cursor, publication: Publish, schema: str) -> ObservedTarget:
    """Return what the catalog and the ledger say of a publication's table."""
    table = read_table(cursor, schema, publication.table)
    if table:
        table = replace(table, made_here=ledger.was_created(cursor, table.sql))
    latest = _latest_load(cursor, publication, table) if table and table.kind in ("r", "p") else None
    made = grant_statements(
        f"{quote_identifier(schema)}.{quote_identifier(publication.table)}", service=has_service(cursor)
    )
    return observed_table(
        publication,
        schema,
        table,
        latest,
        ("channel: postgres",),
        channel="postgres",
        alterable=True,
        opening=made,
    )


def observed_table(
    publication: Publish,
    schema: str,
    table: Table | None,
    latest: str | None,
    notes: tuple[str, ...],
    *,
    channel: str,
    alterable: bool,
    opening: Sequence[str] = (),
) -> ObservedTarget:
    """Return the table as found, whichever way it was looked at; `alterable` if DDL can be sent.

    `opening` is the DDL that comes after making a table.
    """
    mistakes = tuple(publication_mistakes(publication))
    notes = (*notes, *publication_notes(publication, table))
    if table is None:
        made = [*create_statements(publication, schema), *opening] if not mistakes else []
        return ObservedTarget(
            node=publication.node,
            schema=None,
            kind="absent",
            notes=notes,
            channel=channel,
            ddl=tuple(made) if publication.create else (),
            diagnostics=(*mistakes, *table_mistakes(publication, None)),
        )
    ddl: tuple[str, ...] = ()
    wanted: Table | None = table
    if alterable and not mistakes:
        wanted = changed_table(publication, table)
        ddl = tuple(change_statements(publication, table))
        ddl = (*ddl, *(opening if wanted is None else [RELOAD])) if ddl else ()
        mistakes = tuple(change_mistakes(publication, table))
        notes = (*notes, *change_notes(publication, table))
    mistakes = (*mistakes, *table_mistakes(publication, wanted))
    columns = (Column(name=c.name, type=duckdb_type(c.type), nullable=not c.not_null) for c in table.columns)
    return ObservedTarget(
        node=publication.node,
        schema=TableSchema(columns=tuple(columns), key=table.primary_key),
        kind="partitioned table" if table.kind == "p" else "table",
        notes=(*notes, *table_notes(table)),
        ddl=ddl,
        channel=channel,
        latest_load=None if mistakes else latest,
        diagnostics=mistakes,
    )


def holds_load(cursor: Cursor, publication: Publish, schema: str, load_id: str) -> bool:
    """Say whether a table still holds what a load delivered, by counting its rows."""
    table = read_table(cursor, schema, publication.table)
    if table is None or not ledger.ledger_exists(cursor):
        return False
    if publication.mode == "append":  # what was delivered stays so, whatever became of the rows
        return ledger.was_appended(cursor, table.sql, load_id)
    last = ledger.last_delivery(cursor, table.sql)
    return last is not None and (last.load_id, last.total_after) == (
        load_id,
        ledger.count_rows(cursor, table.sql),
    )


def _latest_load(cursor: Cursor, publication: Publish, table: Table) -> str | None:
    """The last load, unless somebody has emptied the table; rows are counted only when it may be published.

    What was appended stays delivered, whatever became of the rows.
    """
    last = ledger.last_delivery(cursor, table.sql) if ledger.ledger_exists(cursor) else None
    if last is None:
        return None
    if publication.series and (ours := ledger.latest_of_series(cursor, table.sql, publication.series)):
        return ours
    emptied = last.total_after > 0 and ledger.is_empty(cursor, table.sql)
    return None if emptied and publication.mode != "append" else last.load_id
