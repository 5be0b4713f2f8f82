"""Which row the server refused: by the line that COPY names, else by trying the rows one by one."""

from __future__ import annotations

import csv
import re
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets.supabase.apply import GONE, on_conflict
from osiris_sql.targets.supabase.create import key_statements
from osiris_sql.targets.supabase.deliver import ready_table
from osiris_sql.targets.supabase.delivery import Delivery, quiet
from osiris_sql.targets.supabase.delta import find_delta
from osiris_sql.targets.supabase.failure import FOUND, OF_A_ROW
from osiris_sql.targets.supabase.staging import create_stage, fill_stage, plan_columns
from osiris_sql.targets.supabase.statements import Statements
from osiris_sql.types.diagnostic import OsirisError
from osiris_sql.types.plan import Publish

_COPY_LINE = re.compile(r"COPY .+?, line (\d+)")
_PATIENCE = "60s"


def find_offender(
    error: psycopg2.Error, delivery: Delivery, transaction: AbstractContextManager[Cursor]
) -> str:
    """Return the first row, in words, that the server refused with this error, or "" if that can't be told.

    `transaction` is a new one, which is rolled back.
    """
    if place := _COPY_LINE.search(error.diag.context or ""):
        return _row_at(delivery.load.path, int(place[1]), delivery.publication)
    if not (error.pgcode or "").startswith(OF_A_ROW):
        return ""
    try:
        with transaction as cursor:
            _try_each(cursor, delivery)
    except (psycopg2.Error, OsirisError, LookupError) as found:
        again = found.diag if isinstance(found, psycopg2.Error) else None
        same = f"{error.pgcode} {error.diag.constraint_name or ''}"
        if again and again.sqlstate == FOUND and again.message_primary == same:
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
    """Delete and deliver the rows one by one, in the order of the key; raises a psycopg2.Error that names the
    first which is refused, LookupError if none is."""
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
    rows, gone = work.values, f"{table.sql} AS t" if publication.mode == "replace" else ""
    if publication.key:
        delta = find_delta(work)
        rows, gone = delta.rows, f"{table.sql} AS t, {GONE}" if delta.deleted else ""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    if gone:
        cursor.execute(_deleting(work, gone))
    cursor.execute(_writing(work, rows))
    raise LookupError("no row is refused by itself")


def _deleting(work: Statements, gone: str) -> str:
    rows = f"t.*, t.ctid AS osiris_at, t.tableoid AS osiris_of FROM {gone} ORDER BY {work.order('t')}"
    place = "t.ctid = osiris_row.osiris_at AND t.tableoid = osiris_row.osiris_of"
    delete = f"DELETE FROM {work.table.sql} AS t WHERE {place}"
    return _loop(work, rows, delete, "the row to be deleted with ")


def _writing(work: Statements, rows: str) -> str:
    values = ", ".join(f"osiris_row.{column.sql} AS {column.sql}" for column in work.written)
    write = f"{work.insert} (SELECT {values}) AS s"
    if work.publication.key and work.publication.mode in ("append", "upsert"):
        write += f" {on_conflict(work)}"
    elif work.rest and work.publication.key:
        assignments = ", ".join(f"{column.sql} = osiris_row.{column.sql}" for column in work.rest)
        update = f"UPDATE {work.table.sql} AS t SET {assignments} WHERE {work.same_key('t', 'osiris_row')}"
        write = f"{update}; IF NOT FOUND THEN {write}; END IF"
    return _loop(work, f"* FROM {rows} ORDER BY {work.order('s')}", write, "the row with ")


def _loop(work: Statements, rows: str, action: str, which: str) -> str:
    # Where rows refer to each other, one by itself may be refused that is not among all of them.
    circular = "conname = osiris_broken AND contype = 'f' AND conrelid = confrelid"
    return (
        f"DO $osiris$ DECLARE osiris_row record; osiris_broken text; BEGIN"
        f" FOR osiris_row IN SELECT {rows} LOOP {action}; END LOOP;"
        f" EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS osiris_broken = CONSTRAINT_NAME;"
        f" IF EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE {circular}) THEN RAISE; END IF;"
        f" RAISE EXCEPTION USING ERRCODE = '{FOUND}', MESSAGE = SQLSTATE || ' ' || osiris_broken,"
        f" DETAIL = '{which}' || {work.words('osiris_row')}; END $osiris$"
    )
