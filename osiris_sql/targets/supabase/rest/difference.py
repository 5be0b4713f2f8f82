"""What a delivery would change, counted by a function that can't write; its staged rows go afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from osiris_sql.protocols import Load
from osiris_sql.targets._modes import deletion_refusals
from osiris_sql.targets.supabase.catalog import Table
from osiris_sql.targets.supabase.difference import KINDS
from osiris_sql.targets.supabase.rest.bodies import refuse_nul_rows
from osiris_sql.targets.supabase.rest.functions import describe, find_shape
from osiris_sql.targets.supabase.rest.staging import stage_rows
from osiris_sql.targets.supabase.rest.wire import Rest
from osiris_sql.types.difference import Difference, RowChange
from osiris_sql.types.plan import Publish


def find_difference(rest: Rest, publication: Publish, load: Load, schema: str, samples: int) -> Difference:
    """Return what delivering the spool file would change; raises StepError for what would be refused."""
    refuse_nul_rows(publication, load.path)
    found, wanted = find_shape(rest, publication, schema)
    there = found.table if found else None
    described = describe(publication, load, schema, wanted)
    described["anew"] = wanted is None
    for column in described["columns"]:
        column["changed"] = not _same_type(column["name"], there, wanted)
    delivery = str(uuid.uuid4())
    arguments = {"p_delivery": delivery, "p_publication": described, "p_samples": samples}
    try:
        stage_rows(rest, publication, load, delivery, _quiet)
        said = rest.call("osiris_compare", arguments)
    finally:
        rest.call("osiris_discard", {"p_delivery": delivery})
    return tell_difference(publication, load, said)


def tell_difference(publication: Publish, load: Load, said: Mapping[str, Any]) -> Difference:
    """Return what was counted and sampled, as `osiris_compare` says it."""
    inserted, updated, deleted, total = (
        said[name] for name in ("inserted", "updated", "deleted", "total_before")
    )
    return Difference(
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        unchanged=load.rows - inserted - updated,
        total_before=total,
        samples=tuple(_row_changes(publication, said["samples"])),
        refusals=tuple(deletion_refusals(publication, deleted, total, load.rows)) if publication.key else (),
    )


def _quiet(rows: int, message: str) -> None:
    """Nobody waits for the rows on their way."""


def _same_type(name: str, there: Table | None, wanted: Table | None) -> bool:
    old, new = (table.column(name) if table else None for table in (there, wanted))
    return bool(old and new and old.type == new.type)


def _row_changes(publication: Publish, said: list[dict[str, Any]]) -> Iterator[RowChange]:
    """Yield the rows: each has its `kind` (i, u or d), its values as texts `after` and `before`."""
    names = [column.name for column in publication.columns]
    for row in said:
        kind = row["kind"]
        after, before = ({n: row[side][n] for n in names if n in row[side]} for side in ("after", "before"))
        key = {name: (before if kind == "d" else after)[name] for name in publication.key}
        if kind == "u":
            differ = [name for name in after if before[name] != after[name]]
            before, after = ({name: side[name] for name in differ} for side in (before, after))
        elif kind == "i":
            before = {}
        else:
            after = {}
        yield RowChange(kind=KINDS[kind], key=key, before=before, after=after)
