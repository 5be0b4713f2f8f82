"""Delivers a model's rows: spool, check, one atomic write, verified by counting again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from osiris_sql.protocols import Load, Published, SpoolSpec, Target
from osiris_sql.run.connections import hash_endpoint
from osiris_sql.run.load_id import make_load_id
from osiris_sql.run.steps.running import Running
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.event import StepFinished, StepProgress
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import DataFingerprint


def run_publish(running: Running, step: Publish) -> StepFinished:
    """Return what the target counted; the same publication again changes nothing."""
    target = running.connections.target(step.connection)
    seen = target.observe(step)
    latest = seen.latest_load
    base = _begin(running, step, target, latest)
    known = _known_rows(running, step)
    if known and latest == make_load_id(running.plan, step, known, None) and not step.append_all:
        already = Published(sent=0, channel=seen.channel, already_published=True)
        if running.engine.read_state()[step.node].data != known:
            _remember(running, step, target, known, latest)
        return _finished(step, known, already, latest)
    folder = running.folder / "spool" / step.id
    folder.mkdir(parents=True, exist_ok=True)
    try:
        load = _spool(running, step, target.spool(step), folder, base, known)
        published = target.publish(step, load, _progress(running, step, load.rows))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _remember(running, step, target, load.data, load.load_id)
    return _finished(step, load.data, published, load.load_id)


def _begin(running: Running, step: Publish, target: Target, latest: str | None) -> str | None:
    """The load after which this one comes: what the warehouse remembers, not what the target holds.

    If the answer to a commit was lost with the process, the target is one load ahead: seen from the
    same place as then, the batch has the same identity and is recognised. So it is noted before sending.
    """
    state = running.engine.read_state().get(step.node)
    if state and state.endpoint == hash_endpoint(target.endpoint()):
        return state.change
    _remember(running, step, target, None, latest)
    return latest


def _known_rows(running: Running, step: Publish) -> DataFingerprint | None:
    """The model's data fingerprint where the warehouse knows it: for a table, not for a view."""
    state = running.engine.read_state().get(step.input)
    return state.data if state and state.data and state.data.algorithm != "view" else None


def _spool(
    running: Running,
    step: Publish,
    spec: SpoolSpec,
    folder: Path,
    base: str | None,
    known: DataFingerprint | None,
) -> Load:
    path = folder / f"rows.{spec.kind}"
    with running.engine.transaction() as transaction:
        data = known or transaction.fingerprint(step.relation)
        _refuse_empty(step, data.rows)
        if step.key:
            _refuse_bad_key(step, *transaction.key_violations(step.relation, step.key))
        rows = transaction.spool(step.relation, spec, path)
    if rows != data.rows:
        raise StepError(
            Diagnostic(
                rule="count-differs",
                message=f"{data.rows} rows were to be sent, {rows} were written to the spool file",
                location=step.location,
            )
        )
    load_id = make_load_id(running.plan, step, data, base)
    return Load(load_id=load_id, run_id=running.run_id, data=data, path=path, rows=rows)


def _refuse_empty(step: Publish, rows: int) -> None:
    if rows or step.allow_empty or step.mode not in ("replace", "sync"):
        return
    raise StepError(
        Diagnostic(
            rule="empty-publication",
            message=f"{step.relation.name} has no rows, so {step.mode} would empty {step.table}",
            location=step.location,
            why="an empty result is more often a broken input than the truth",
            fix="set allow_empty: true if it is the truth",
        )
    )


def _refuse_bad_key(step: Publish, nulls: int, repeated: int) -> None:
    if nulls or repeated:
        raise StepError(
            Diagnostic(
                rule="key-not-unique",
                message=f"the key ({', '.join(step.key)}) does not identify the rows of {step.relation.name}",
                location=step.location,
                why=f"{nulls} rows have a NULL in it, {repeated} keys occur more than once",
                fix="name the columns that identify a row; a data test `unique` finds this earlier",
            )
        )


def _progress(running: Running, step: Publish, total: int) -> Callable[[int, str], None]:
    def report(rows: int, message: str) -> None:
        running.emit(StepProgress(step=step.id, rows=rows, total=total, message=message))

    return report


def _remember(
    running: Running, step: Publish, target: Target, data: DataFingerprint | None, load_id: str | None
) -> None:
    with running.engine.transaction() as transaction:
        transaction.write_state(
            StepState(
                step=step.node,
                fingerprint=step.fingerprint,
                inputs={step.input: str(data)} if data else {},
                data=data,
                change=load_id,
                endpoint=hash_endpoint(target.endpoint()),
                run_id=running.run_id,
            )
        )


def _finished(step: Publish, data: DataFingerprint, done: Published, load_id: str | None) -> StepFinished:
    return StepFinished(
        step=step.id,
        status="reused" if done.already_published else "success",
        why="already published" if done.already_published else step.why,
        rows_in=data.rows,
        rows_out=None if done.already_published else done.sent,
        data=data,
        facts={
            "load_id": load_id,
            "channel": done.channel,
            "sent": done.sent,
            "inserted": done.inserted,
            "updated": done.updated,
            "deleted": done.deleted,
            "unchanged": done.unchanged,
            "total_after": done.total_after,
            "already_published": done.already_published,
        },
    )
