"""What can be known of a plain table, without osiris-sql's functions, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.create import create_statements, grant_statements
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.preflight import publication_mistakes, publication_notes
from osiris_sql.targets.supabase.rest.keys import quoted, table_path
from osiris_sql.targets.supabase.rest.sql_endpoint import SqlEndpoint
from osiris_sql.targets.supabase.rest.table_changes import is_stale, observe_catalog
from osiris_sql.targets.supabase.rest.wire import Rest, RestError
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, TableSchema, quote_identifier

_INSTALL = "install the functions (osiris-sql doctor --bootstrap prints them), or give the connection a dsn"
_KEY_TYPES = {"boolean", "smallint", "integer", "bigint", "text", "uuid"}


def observe(
    rest: Rest, publication: Publish, schema: str, options: SupabaseOptions, endpoint: SqlEndpoint | None
) -> ObservedTarget:
    """Return what is known of a table: its catalog over an SQL endpoint, else only what REST shows."""
    note = "channel: rest, without osiris-sql's functions: " + (
        "one request, or refused" if options.atomic else "not atomic"
    )
    modes = tuple(_mode_mistakes(publication, options))
    if endpoint:
        seen = observe_catalog(endpoint, publication, schema, (note,))
        found = () if seen.ddl or seen.diagnostics else _looked_at(rest, publication, schema, cataloged=True)
        return replace(seen, diagnostics=(*seen.diagnostics, *modes, *found))
    found = _looked_at(rest, publication, schema, cataloged=False)
    columns = () if found else publication.columns
    return ObservedTarget(
        node=publication.node,
        schema=TableSchema(columns=columns, key=publication.key) if columns else None,
        kind="table" if columns else "absent",
        notes=(note, *publication_notes(publication)),
        channel="rest",
        diagnostics=(*publication_mistakes(publication), *modes, *found),
    )


def _looked_at(rest: Rest, publication: Publish, schema: str, *, cataloged: bool) -> tuple[Diagnostic, ...]:
    try:
        count_rows(rest, publication)
    except RestError as error:
        if error.status not in (400, 403, 404):
            raise
        # What the catalog has will be known to REST as soon as it looks again.
        return () if cataloged and is_stale(error) else (_unfit(publication, schema, error),)
    return ()


def _mode_mistakes(publication: Publish, options: SupabaseOptions) -> Iterator[Diagnostic]:
    if not publication.key:
        message = f"mode {publication.mode} without a key can't be made safe over REST without functions"
        why = "a request whose answer is lost could not be sent again"
        yield refusal(publication, "needs-functions", message, why=why, fix=_INSTALL)
    if publication.mode in ("replace", "sync") and options.atomic:
        yield not_atomic(publication, f"{publication.mode} takes several transactions")
    wrong = [c for c in publication.columns if c.name in publication.key and not _is_plain(c)]
    for column in wrong if publication.mode != "upsert" else ():
        message = f'the key column "{column.name}" is {column.type}, which can\'t be compared over REST'
        yield refusal(publication, "needs-functions", message, fix=_INSTALL)


def _is_plain(column: Column) -> bool:
    made = postgres_type(column.type)
    return made is not None and made.name in _KEY_TYPES


def not_atomic(publication: Publish, why: str) -> Diagnostic:
    """Return that the delivery would take several transactions, and what to do about it."""
    message = "the rows can't arrive in one transaction over REST without osiris-sql's functions"
    fix = f"{_INSTALL}; atomic: false on the connection accepts that readers see half of it"
    return refusal(publication, "not-atomic", message, why=why, fix=fix)


def _unfit(publication: Publish, schema: str, error: RestError) -> Diagnostic:
    table = f"{quote_identifier(schema)}.{quote_identifier(publication.table)}"
    grants = grant_statements(table, service=True)
    if error.status == 404:
        ddl = ";\n".join([*create_statements(publication, schema), *grants])
        message = "the table does not exist, or the API does not know it yet"
        why = "over REST a table is made by osiris-sql's functions, or with an access_token"
        fix = f"run in the SQL editor (the last line alone if the table is there):\n{ddl};"
        return refusal(publication, "unknown-table", message, why=why, fix=fix)
    if error.code == "42501":
        return refusal(publication, "missing-privilege", error.message, fix=grants[0])
    named = next((c for c in publication.columns if f"'{c.name}'" in error.message), None)
    named = named or next((c for c in publication.columns if c.name in error.message), None)
    if made := postgres_type(named.type) if named else None:
        assert named is not None
        add = f"ALTER TABLE {table} ADD COLUMN {quote_identifier(named.name)} {made.name};\n{grants[1]};"
        fix = f"leave it out of the model, or run in the SQL editor:\n{add}"
    else:
        fix = "add the column, or leave it out of the model"
    return refusal(publication, "unknown-column", error.message, why=error.hint or "", fix=fix)


def count_rows(rest: Rest, publication: Publish) -> int:
    """Return the rows of the table, all delivered columns named; raises RestError."""
    names = ",".join(quoted(c.name) for c in publication.columns)
    parameters = {"select": names, "limit": "0"}
    counted = rest.ask("GET", table_path(publication), prefer="count=exact", parameters=parameters).count
    assert counted is not None  # asked for
    return counted
