"""Publishing through osiris-sql's functions: staged in batches, applied in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from osiris_sql.protocols import Load, Published
from osiris_sql.targets._modes import raise_all, refusal
from osiris_sql.targets.supabase.catalog import Table, TableColumn
from osiris_sql.targets.supabase.failure import FOUND, OF_A_ROW
from osiris_sql.targets.supabase.preflight import table_mistakes
from osiris_sql.targets.supabase.rest.bodies import refuse_nul_rows
from osiris_sql.targets.supabase.rest.staging import stage_rows
from osiris_sql.targets.supabase.rest.wire import Progress, Rest, RestError
from osiris_sql.targets.supabase.schema_change import change_mistakes, change_statements, changed_table
from osiris_sql.targets.supabase.types import may_round, postgres_type
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column


@dataclass(frozen=True)
class Found:
    """A table as the functions see it: its rows, the last delivery into it, the last load of each series."""

    table: Table
    rows: int
    last: dict[str, Any] | None
    series: dict[str, str]


def find_table(rest: Rest, schema: str, name: str) -> Found | None:
    """Return the table as the catalog has it now, or None if there is none."""
    said = rest.call("osiris_table", {"p_schema": schema, "p_table": name})
    if said is None:
        return None
    table = Table(
        schema=schema,
        name=name,
        kind=said["kind"],
        columns=tuple(_table_column(column) for column in said["columns"]),
        primary_key=next((tuple(columns) for primary, columns in said["uniques"] if primary), ()),
        uniques=tuple(frozenset(columns) for _, columns in said["uniques"]),
        inbound=tuple(said["inbound"]),
        triggers=tuple(said["triggers"]),
        rules=said["rules"],
        comment=said["comment"],
        made_here=said["made_here"],
        row_security=said["row_security"],
        privileges=frozenset(said["privileges"]),
        role=said["role"],
    )
    return Found(table, said["rows"] or 0, said["last"], said["series"])


def _table_column(said: dict[str, Any]) -> TableColumn:
    return TableColumn(**{name: value for name, value in said.items() if name != "base"})


def publish_staged(
    rest: Rest, publication: Publish, load: Load, schema: str, progress: Progress
) -> Published:
    """Stage the rows, apply them at once, and return what was read back; each call may be repeated."""
    refuse_nul_rows(publication, load.path)
    found, wanted = find_shape(rest, publication, schema)
    delivery = str(uuid.uuid4())
    if not _is_delivered(publication, load, found):
        stage_rows(rest, publication, load, delivery, progress)
    progress(load.rows, f"applying {publication.mode}")
    described = describe(publication, load, schema, wanted)
    arguments = {"p_delivery": delivery, "p_load": load.load_id, "p_publication": described}
    try:
        done = rest.call("osiris_apply", arguments, progress)
    except RestError as error:
        error.row = _offender(rest, error, delivery, described)
        raise
    if done.get("already_applied"):
        total = done["total_after"]
        return Published(sent=0, total_after=total, channel="rest", already_published=True)
    progress(load.rows, "reading back")
    return _read_back(rest, publication, delivery)


def _offender(rest: Rest, error: RestError, delivery: str, described: dict[str, Any]) -> str:
    """Return the first row, in words, that was refused with this error, or "" if that can't be told."""
    if not error.code.startswith(OF_A_ROW):
        return ""
    try:
        rest.call("osiris_offender", {"p_delivery": delivery, "p_publication": described})
    except RestError as found:
        code, _, constraint = found.message.partition(" ")
        if (found.code, code) == (FOUND, error.code) and constraint in error.message:
            return found.details or ""
    return ""


def find_shape(rest: Rest, publication: Publish, schema: str) -> tuple[Found | None, Table | None]:
    """Return the table as it is and as the delivery wants it; raises StepError where that can't be."""
    found = find_table(rest, schema, publication.table)
    table = found.table if found else None
    wanted = changed_table(publication, table) if table else None
    raise_all([*(change_mistakes(publication, table) if table else ()), *table_mistakes(publication, wanted)])
    return found, wanted


def _is_delivered(publication: Publish, load: Load, found: Found | None) -> bool:
    # Only so that nothing is staged in vain: the function decides, under the table's lock.
    if not found or not found.last or publication.mode == "append":
        return False
    if change_statements(publication, found.table):
        return False
    return bool(found.last["load_id"] == load.load_id and found.last["total_after"] == found.rows)


def describe(publication: Publish, load: Load, schema: str, table: Table | None) -> dict[str, Any]:
    """Return the delivery as the functions take it, into this table."""
    return {
        "schema": schema,
        "table": publication.table,
        "mode": publication.mode,
        "key": list(publication.key),
        "columns": [_column(column, publication.key, table) for column in publication.columns],
        "rows": load.rows,
        "create": publication.create,
        "on_schema_change": publication.on_schema_change,
        "max_deleted": publication.max_deleted,
        "allow_empty": publication.allow_empty,
        "description": publication.description,
        "run": load.run_id,
        "step": publication.id,
        "fingerprint": f"{load.data.algorithm}:{load.data.digest}",
    }


def _column(column: Column, key: tuple[str, ...], table: Table | None) -> dict[str, Any]:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    there = table.column(column.name) if table else None
    return {
        "name": column.name,
        "type": made.name,
        "nested": made.nested,
        "exact": bool(there and may_round(made.name, there.type)),
        "required": column.name in key or not column.nullable,
        "description": column.description,
    }


def _read_back(rest: Rest, publication: Publish, delivery: str) -> Published:
    row = rest.call("osiris_receipt", {"p_delivery": delivery})
    if row is None:
        message = "the server confirmed the commit, but a new request does not find it"
        raise StepError(refusal(publication, "lost-commit", message, fix="publish again"))
    return Published(
        sent=row["rows_in"],
        inserted=row["inserted"],
        updated=row["updated"],
        deleted=row["deleted"],
        unchanged=row["unchanged"],
        total_after=row["total_after"],
        channel="rest",
    )
