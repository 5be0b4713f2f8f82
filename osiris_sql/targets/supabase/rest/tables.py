"""Publishing into plain tables, without osiris-sql's functions: what is safe is done, the rest refused."""

from __future__ import annotations

import json
from itertools import islice

from osiris_sql.protocols import Load, Published
from osiris_sql.targets._modes import check_deletions, raise_all, refusal
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.rest.bodies import read_groups, read_rows, refuse_nul_rows
from osiris_sql.targets.supabase.rest.keys import Key, fetch_keys, key_of
from osiris_sql.targets.supabase.rest.plain import count_rows, not_atomic, observe
from osiris_sql.targets.supabase.rest.requests import ONE_REQUEST, PlainTable
from osiris_sql.targets.supabase.rest.sql_endpoint import SqlEndpoint
from osiris_sql.targets.supabase.rest.table_changes import ready_table
from osiris_sql.targets.supabase.rest.wire import Progress, Rest
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.plan import Publish


def publish(
    rest: Rest,
    publication: Publish,
    load: Load,
    schema: str,
    options: SupabaseOptions,
    endpoint: SqlEndpoint | None,
    progress: Progress,
) -> Published:
    """Deliver by key in batches and return what was counted; each batch may be sent again."""
    raise_all(list(observe(rest, publication, schema, options, endpoint).diagnostics))
    refuse_nul_rows(publication, load.path)
    if options.atomic and len(list(islice(read_groups(load.path, ONE_REQUEST), 2))) > 1:
        raise StepError(not_atomic(publication, f"{load.rows} rows are more than one request"))
    if endpoint:
        ready_table(rest, endpoint, publication, schema, load.run_id, progress)
    to = PlainTable(rest, publication, progress, atomic=options.atomic)
    if publication.mode == "upsert":
        return _upsert(to, load)
    wanted = _sent_keys(publication, load)
    before = set(fetch_keys(rest, publication))
    if publication.mode == "append":
        return _append(to, load, wanted, before)
    return _sync(to, load, wanted, before)


def _sent_keys(publication: Publish, load: Load) -> set[Key]:
    return {key_of(publication, json.loads(text)) for text in read_rows(load.path)}


def _upsert(to: PlainTable, load: Load) -> Published:
    before = count_rows(to.rest, to.publication)
    to.send(load, "merge-duplicates")
    total = count_rows(to.rest, to.publication)
    inserted = max(0, total - before)
    updated = load.rows - inserted
    return Published(sent=load.rows, inserted=inserted, updated=updated, total_after=total, channel="rest")


def _append(to: PlainTable, load: Load, wanted: set[Key], before: set[Key]) -> Published:
    to.send(load, "ignore-duplicates", before)
    after = set(fetch_keys(to.rest, to.publication))
    _refuse_lost(to.publication, wanted - after)
    inserted = len(wanted - before)
    return Published(
        sent=load.rows,
        inserted=inserted,
        unchanged=load.rows - inserted,
        total_after=len(after),
        channel="rest",
    )


def _sync(to: PlainTable, load: Load, wanted: set[Key], before: set[Key]) -> Published:
    check_deletions(to.publication, len(before - wanted), len(before), load.rows)
    to.send(load, "merge-duplicates")
    after = set(fetch_keys(to.rest, to.publication))
    # If the table spells a key in another way, the row just written would look like one to delete.
    _refuse_lost(to.publication, wanted - after)
    surplus = sorted(after - wanted)
    to.delete(surplus)
    total = count_rows(to.rest, to.publication)
    if total != load.rows:
        message = f"{load.rows} rows were sent, but the table holds {total}: somebody else wrote into it"
        raise StepError(refusal(to.publication, "rows-not-written", message, fix="publish again"))
    inserted = len(wanted - before)
    return Published(
        sent=load.rows,
        inserted=inserted,
        updated=load.rows - inserted,
        deleted=len(surplus),
        total_after=total,
        channel="rest",
    )


def _refuse_lost(publication: Publish, lost: set[Key]) -> None:
    if lost:
        message = f"{len(lost)} rows were sent, but their keys are not in the table"
        why = f"one of them: {', '.join(min(lost))}"
        fix = "look for a trigger that drops or changes rows, or a column type that spells keys otherwise"
        raise StepError(refusal(publication, "rows-not-written", message, why=why, fix=fix))
