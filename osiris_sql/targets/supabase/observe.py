"""The target table as planning sees it: columns, key, what was last delivered, what stands in the way."""

from dataclasses import replace

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets.supabase import ledger
from osiris_sql.targets.supabase.catalog import Table, read_table
from osiris_sql.targets.supabase.create import create_statements
from osiris_sql.targets.supabase.preflight import publication_mistakes, table_mistakes, table_notes
from osiris_sql.targets.supabase.schema_change import (
    change_mistakes,
    change_notes,
    change_statements,
    changed_table,
)
from osiris_sql.targets.supabase.types import duckdb_type
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, TableSchema


def observe_table(cursor: Cursor, publication: Publish, schema: str) -> ObservedTarget:
    """Return what the catalog and the ledger say of a publication's table."""
    table = read_table(cursor, schema, publication.table)
    if table:
        table = replace(table, made_here=ledger.was_created(cursor, table.sql))
    latest = _latest_load(cursor, publication, table) if table and table.kind in ("r", "p") else None
    return observed_table(
        publication, schema, table, latest, ("channel: postgres",), channel="postgres", alterable=True
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
) -> ObservedTarget:
    """Return the table as found, whichever way it was looked at; `alterable` if DDL can be sent."""
    mistakes = tuple(publication_mistakes(publication))
    if table is None:
        return ObservedTarget(
            node=publication.node,
            schema=None,
            kind="absent",
            notes=notes,
            channel=channel,
            ddl=tuple(create_statements(publication, schema)) if publication.create and not mistakes else (),
            diagnostics=(*mistakes, *table_mistakes(publication, None)),
        )
    ddl: tuple[str, ...] = ()
    wanted: Table | None = table
    if alterable and not mistakes:
        ddl, wanted = tuple(change_statements(publication, table)), changed_table(publication, table)
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


def _latest_load(cursor: Cursor, publication: Publish, table: Table) -> str | None:
    if not ledger.ledger_exists(cursor):
        return None
    last = ledger.last_delivery(cursor, table.sql)
    # What somebody has emptied since is no longer what was delivered. Rows appended before stay delivered.
    if last and (publication.mode == "append" or last.total_after == ledger.count_rows(cursor, table.sql)):
        return last.load_id
    return None
