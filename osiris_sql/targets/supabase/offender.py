"""Which row the server refused: by the line that COPY names, else by trying the rows one by one."""

from __future__ import annotations

import csv
import re
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets.supabase.apply import delete_gone, on_conflict
from osiris_sql.targets.supabase.create import key_statements
from osiris_sql.targets.supabase.deliver import ready_table
from osiris_sql.targets.supabase.delivery import Delivery, quiet
from osiris_sql.targets.supabase.delta import find_delta
from osiris_sql.targets.supabase.staging import create_stage, fill_stage, plan_columns
from osiris_sql.targets.supabase.statements import Statements
from osiris_sql.types.diagnostic import OsirisError
from osiris_sql.types.plan import Publish

_COPY_LINE = re.compile(r"COPY .+?, line (\d+)")
# Constraints, values, what a function raises, policies: all that is wrong with one row.
_OF_A_ROW = ("22", "23", "P0", "42501")
_FOUND = "OS004"
_PATIENCE = "60s"


def find_offender(
    error: psycopg2.Error, delivery: Delivery, transaction: AbstractContextManager[Cursor]
) -> str:
    """Return the first row, in words, that the server refused with this error, or "" if that can't be told.

    `transaction` is a new one, which is rolled back.
    """
    if place := _COPY_LINE.search(error.diag.context or ""):
        return _row_at(delivery.load.path, int(place[1]), delivery.publication)
    if not (error.pgcode or "").startswith(_OF_A_ROW):
        return ""
    try:
        with transaction as cursor:
            _try_each(cursor, delivery)
    except (psycopg2.Error, OsirisError, LookupError) as found:
        again = found.diag if isinstance(found, psycopg2.Error) else None
        same = f"{error.pgcode} {error.diag.constraint_name or ''}"
        if again and again.sqlstate == _FOUND and again.message_primary == same:
            return again.message_detail or ""
    return ""


def _row_at(spool: Path, line: int, publication: Publish) -> str:
    """The row of the spool file that holds a line: a value may have several."""
    names = [column.name for column in publication.columns]
    csv.field_size_limit(2**31 - 1)
    with spool.open(newline="\n", encoding="utf-8") as file:
        reader = csv.reader(file)
        row = next((row for row in reader if reader.line_num >= line), [])
    values = dict(zip(names, row, strict=False))
    shown = publication.key or names[:3]
    return "the row with " + ", ".join(f"{name} = {values.get(name, '')}" for name in shown)


def _try_each(cursor: Cursor, delivery: Delivery) -> None:
    """Deliver the rows one by one, in the order of the key; raises a psycopg2.Error that names the first
    which is refused, LookupError if none is."""
    cursor.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
    publication = delivery.publication
    table, created = ready_table(cursor, delivery)
    for statement in key_statements(publication, delivery.schema) if created else ():
        cursor.execute(statement)
    columns = plan_columns(publication, table)
    create_stage(cursor, columns)
    fill_stage(cursor, replace(delivery, progress=quiet), columns)
    written = tuple(column for column in columns if not column.target.generated)
    work = Statements(cursor, publication, table, written, delivery.load.rows)
    rows = work.values
    if publication.key:
        delta = find_delta(work)
        rows = delta.rows
        delete_gone(work, delta)
    elif publication.mode == "replace":
        work.change(f"DELETE FROM {table.sql} WHERE true")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(_loop(work, rows))
    raise LookupError("no row is refused by itself")


def _loop(work: Statements, rows: str) -> str:
    values = ", ".join(f"r.{column.sql} AS {column.sql}" for column in work.written)
    insert = f"{work.insert} (SELECT {values}) AS s"
    if work.publication.key and work.publication.mode in ("append", "upsert"):
        insert += f" {on_conflict(work)}"
    elif work.rest and work.publication.key:
        assignments = ", ".join(f"{column.sql} = r.{column.sql}" for column in work.rest)
        update = f"UPDATE {work.table.sql} AS t SET {assignments} WHERE {work.same_key('t', 'r')}"
        insert = f"{update}; IF NOT FOUND THEN {insert}; END IF"
    return (
        f"DO $osiris$ DECLARE r record; broken text; BEGIN"
        f" FOR r IN SELECT * FROM {rows} ORDER BY {work.order('s')} LOOP {insert}; END LOOP;"
        f" EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;"
        f" RAISE EXCEPTION USING ERRCODE = '{_FOUND}', MESSAGE = SQLSTATE || ' ' || coalesce(broken, ''),"
        f" DETAIL = 'the row with ' || {work.words('r')}; END $osiris$"
    )
