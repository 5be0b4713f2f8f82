"""Publishing into plain tables, without osiris-sql's functions: what is safe is done, the rest refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice

from osiris_sql.protocols import Load, Published
from osiris_sql.targets._modes import check_deletions, raise_all, refusal
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.rest.bodies import read_groups, read_rows, refuse_nul_rows
from osiris_sql.targets.supabase.rest.keys import Key, fetch_keys, key_of, or_filter, quoted, table_path
from osiris_sql.targets.supabase.rest.plain import count_rows, not_atomic, observe
from osiris_sql.targets.supabase.rest.proof import provable, refuse_rounded
from osiris_sql.targets.supabase.rest.sql_endpoint import SqlEndpoint
from osiris_sql.targets.supabase.rest.table_changes import ready_table
from osiris_sql.targets.supabase.rest.wire import COUNTED, Progress, Rest, RestError
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.plan import Publish

ONE_REQUEST = 1000


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
    if publication.mode == "upsert":
        return _upsert(rest, publication, load, progress)
    wanted = _sent_keys(publication, load)
    before = set(fetch_keys(rest, publication))
    if publication.mode == "append":
        return _append(rest, publication, load, wanted, before, progress)
    return _sync(rest, publication, load, wanted, before, progress)


def _sent_keys(publication: Publish, load: Load) -> set[Key]:
    return {key_of(publication, json.loads(text)) for text in read_rows(load.path)}


def _upsert(rest: Rest, publication: Publish, load: Load, progress: Progress) -> Published:
    before = count_rows(rest, publication)
    _send(rest, publication, load, "merge-duplicates", progress, exact=True)
    total = count_rows(rest, publication)
    inserted = max(0, total - before)
    updated = load.rows - inserted
    return Published(sent=load.rows, inserted=inserted, updated=updated, total_after=total, channel="rest")


def _append(
    rest: Rest, publication: Publish, load: Load, wanted: set[Key], before: set[Key], progress: Progress
) -> Published:
    _send(rest, publication, load, "ignore-duplicates", progress, exact=False)
    after = set(fetch_keys(rest, publication))
    _refuse_lost(publication, wanted - after)
    inserted = len(wanted - before)
    return Published(
        sent=load.rows,
        inserted=inserted,
        unchanged=load.rows - inserted,
        total_after=len(after),
        channel="rest",
    )


def _sync(
    rest: Rest, publication: Publish, load: Load, wanted: set[Key], before: set[Key], progress: Progress
) -> Published:
    check_deletions(publication, len(before - wanted), len(before), load.rows)
    _send(rest, publication, load, "merge-duplicates", progress, exact=True)
    after = set(fetch_keys(rest, publication))
    # If the table spells a key in another way, the row just written would look like one to delete.
    _refuse_lost(publication, wanted - after)
    deleted = _delete(rest, publication, sorted(after - wanted), progress)
    total = count_rows(rest, publication)
    if total != load.rows:
        message = f"{load.rows} rows were sent, but the table holds {total}: somebody else wrote into it"
        raise StepError(refusal(publication, "rows-not-written", message, fix="publish again"))
    inserted = len(wanted - before)
    return Published(
        sent=load.rows,
        inserted=inserted,
        updated=load.rows - inserted,
        deleted=deleted,
        total_after=total,
        channel="rest",
    )


def _refuse_lost(publication: Publish, lost: set[Key]) -> None:
    if lost:
        message = f"{len(lost)} rows were sent, but their keys are not in the table"
        why = f"one of them: {', '.join(min(lost))}"
        fix = "look for a trigger that drops or changes rows, or a column type that spells keys otherwise"
        raise StepError(refusal(publication, "rows-not-written", message, why=why, fix=fix))


def _send(
    rest: Rest, publication: Publish, load: Load, resolution: str, progress: Progress, *, exact: bool
) -> None:
    proved = provable(publication)
    parameters = {
        "columns": ",".join(quoted(c.name) for c in publication.columns),
        "on_conflict": ",".join(map(quoted, publication.key)),
    }
    if proved:
        parameters["select"] = ",".join(map(quoted, dict.fromkeys([*publication.key, *proved])))
    kept = COUNTED.replace("minimal", "representation") if proved else COUNTED

    def post(rows: list[str]) -> None:
        body = f"[{','.join(rows)}]".encode()
        prefer = f"{kept},resolution={resolution}"
        done = rest.ask(
            "POST",
            table_path(publication),
            body=body,
            prefer=prefer,
            parameters=parameters,
            progress=progress,
        )
        if exact and done.count != len(rows):
            message = f"{len(rows)} rows were sent in a batch, but {done.count} were written"
            fix = "look for a trigger or rule on the table that drops rows"
            raise StepError(refusal(publication, "rows-not-written", message, fix=fix))
        if proved:
            refuse_rounded(publication, proved, rows, done.data)

    sent = 0
    for group in read_groups(load.path, ONE_REQUEST):
        _halving(post, group)
        sent += len(group)
        progress(sent, "sending")


def _halving(post: Callable[[list[str]], None], rows: list[str]) -> None:
    try:
        post(rows)
    except RestError as error:
        if not error.too_much or len(rows) == 1:
            raise
        _halving(post, rows[: len(rows) // 2])
        _halving(post, rows[len(rows) // 2 :])


def _delete(rest: Rest, publication: Publish, surplus: list[Key], progress: Progress) -> int:
    for start in range(0, len(surplus), 100):
        keys = surplus[start : start + 100]
        prefer = f"{COUNTED},handling=strict,max-affected={len(keys)}"
        parameters = {"or": or_filter(publication, keys)}
        rest.ask("DELETE", table_path(publication), prefer=prefer, parameters=parameters, progress=progress)
    return len(surplus)
