"""Tables made and altered over an SQL endpoint, for REST without osiris-sql's functions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from osiris_sql.targets._modes import raise_all, refusal
from osiris_sql.targets.supabase.catalog import Table, read_table
from osiris_sql.targets.supabase.create import RELOAD, create_statements, grant_statements
from osiris_sql.targets.supabase.ledger import LEDGER_SQL, was_created
from osiris_sql.targets.supabase.observe import observed_table
from osiris_sql.targets.supabase.rest.keys import table_path
from osiris_sql.targets.supabase.rest.sql_endpoint import HttpCursor, SqlEndpoint, literal
from osiris_sql.targets.supabase.rest.wire import ATTEMPTS, Progress, Rest, RestError
from osiris_sql.targets.supabase.schema_change import change_statements, changed_table
from osiris_sql.targets.supabase.types import may_round, postgres_type
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier

PATIENCE = 30.0
_STALE = {"PGRST202", "PGRST204", "PGRST205"}


def is_stale(error: RestError) -> bool:
    """Say whether REST may not know yet what the database has."""
    return error.code in _STALE or (error.status == 404 and not error.code)


def observe_catalog(
    endpoint: SqlEndpoint, publication: Publish, schema: str, notes: tuple[str, ...]
) -> ObservedTarget:
    """Return the table as the catalog has it, with the DDL that the publication will run."""
    table = _find_table(endpoint, publication, schema)
    opening = grant_statements(_name(publication, schema), service=True)
    seen = observed_table(
        publication, schema, table, None, notes, channel="rest", alterable=True, opening=opening
    )
    inexact = tuple(_inexact(publication, table)) if not seen.diagnostics else ()
    return replace(seen, diagnostics=(*seen.diagnostics, *inexact))


def _find_table(endpoint: SqlEndpoint, publication: Publish, schema: str) -> Table | None:
    cursor: Any = HttpCursor(endpoint)
    table = read_table(cursor, schema, publication.table)
    return replace(table, made_here=was_created(cursor, table.sql)) if table else None


def _name(publication: Publish, schema: str) -> str:
    return f"{quote_identifier(schema)}.{quote_identifier(publication.table)}"


def _inexact(publication: Publish, table: Table | None) -> Iterator[Diagnostic]:
    wanted = changed_table(publication, table) if table else None
    for column in publication.columns if wanted else ():
        made, there = postgres_type(column.type), wanted.column(column.name) if wanted else None
        if made and there and may_round(made.name, there.type):
            message = f'values of "{column.name}" could be rounded: {made.name} into {there.type}'
            why = "over REST without osiris-sql's functions nothing notices it"
            fix = "cast it in the model to the column's type, or install the functions (doctor --bootstrap)"
            yield refusal(publication, "needs-functions", message, why=why, fix=fix)


def ready_table(
    rest: Rest, endpoint: SqlEndpoint, publication: Publish, schema: str, run: str, progress: Progress
) -> None:
    """Make or alter the table in one transaction, if need be, and wait until REST knows its shape.

    A lost answer is resolved by looking at the catalog again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        seen = observe_catalog(endpoint, publication, schema, ())
        raise_all(list(seen.diagnostics))
        if not seen.ddl:
            break
        progress(0, "making the table" if seen.kind == "absent" else "altering the table")
        try:
            endpoint.run(";\n".join(_with_ledger(endpoint, publication, schema, run)))
        except RestError as error:
            if attempt == ATTEMPTS or not error.passing:
                raise
    _settle(rest, endpoint, publication, progress)


def _with_ledger(endpoint: SqlEndpoint, publication: Publish, schema: str, run: str) -> list[str]:
    """The DDL, and where it makes the table a ledger row that says so: only then it is altered later."""
    table, name = _find_table(endpoint, publication, schema), _name(publication, schema)
    changes = change_statements(publication, table) if table else create_statements(publication, schema)
    if table and changed_table(publication, table):
        return [*changes, RELOAD]
    texts = [run, publication.id, name, publication.mode]
    made = (
        "INSERT INTO osiris.publications (delivery, load_id, run_id, step, target, mode, fingerprint,"
        " created, rows_in, inserted, updated, unchanged, deleted, total_after)"
        f" VALUES (gen_random_uuid(), '', {', '.join(map(literal, texts))}, '', true, 0, 0, 0, 0, 0, 0)"
    )
    return [LEDGER_SQL.strip().rstrip(";"), *changes, *grant_statements(name, service=True), made]


def _settle(rest: Rest, endpoint: SqlEndpoint, publication: Publish, progress: Progress) -> None:
    until, pause = time.monotonic() + PATIENCE, 0.1
    while True:
        try:
            columns = ",".join(f'"{c.name}"' for c in publication.columns)
            # A POST of no rows consults the schema cache, which a GET does not.
            rest.ask("POST", table_path(publication), body=b"[]", parameters={"columns": columns})
        except RestError as error:
            if not is_stale(error) or time.monotonic() > until:
                raise
        else:
            return
        progress(0, "waiting until the API knows the table")
        endpoint.run(RELOAD)
        rest.pause(pause)
        pause = min(2 * pause, 2.0)
