"""Delivers a model's rows: spool, check, one atomic write, verified by counting again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from osiris_sql.protocols import Load, Published, Target
from osiris_sql.run.connections import hash_endpoint
from osiris_sql.run.load_id import make_load_id
from osiris_sql.run.steps.added import Part, added_parts
from osiris_sql.run.steps.arrived import asking, run_arrived
from osiris_sql.run.steps.running import Running
from osiris_sql.run.steps.spooling import identify_rows, spooled
from osiris_sql.types.event import StepFinished, StepProgress
from osiris_sql.types.observed import ObservedTarget, StepState
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import DataFingerprint, TableSchema


def run_publish(running: Running, step: Publish) -> StepFinished:
    """Return what the target counted; the same publication again changes nothing."""
    target = running.connections.target(step.connection)
    seen = target.observe(step)
    before = _begin(running, step, target, seen.latest_load)
    data = identify_rows(running.engine, step, running.state.get(step.input))
    load_id = make_load_id(running.plan, step, data, before.change)
    if _is_published(step, target, seen, load_id):
        already = Published(sent=0, channel=seen.channel, already_published=True)
        due = [test for test in step.tests if before.passed.get(test.fingerprint) != load_id]
        if due:
            run_arrived(running, step.id, due, asking(running, step.connection))
        if due or before.data != data:
            _remember(running, step, target, data, load_id)
        return _finished(step, data, data.rows, already, load_id, seen)
    parts = [Part(data=data)]
    if step.series:
        parts = added_parts(running.engine, step, target, data, seen.latest_load, before)
    done = _together([_deliver(running, step, target, part, before.change) for part in parts])
    return _finished(step, data, sum(part.rows for part in parts), done, load_id, seen)


def _is_published(step: Publish, target: Target, seen: ObservedTarget, load_id: str) -> bool:
    """Whether nothing is to do: the last load is this one, its rows are there, the table has its shape."""
    if step.append_all or seen.ddl or seen.latest_load != load_id:
        return False
    return target.holds(step, load_id)


def _begin(running: Running, step: Publish, target: Target, latest: str | None) -> StepState:
    """What the warehouse remembers of this target: the load after which this one comes.

    If the answer to a commit was lost with the process, the target is one load ahead: seen from the
    same place as then, the batch has the same identity and is recognised. So it is noted before sending.
    """
    state = running.state.get(step.node)
    if state and state.endpoint == hash_endpoint(target.endpoint()):
        return state
    return _remember(running, step, target, None, latest)


def _deliver(running: Running, step: Publish, target: Target, part: Part, base: str | None) -> Published:
    load_id = make_load_id(running.plan, step, part.data, base)
    if step.series:
        _note(running, replace(running.state[step.node], watermark=load_id, run_id=running.run_id))
    folder = running.folder / "spool" / step.id
    with spooled(running.engine, step, target.spool(step), folder, part) as path:
        load = Load(
            load_id=load_id,
            run_id=running.run_id,
            data=part.data,
            path=path,
            rows=part.rows,
            audit=partial(run_arrived, running, step.id, step.tests) if step.tests else None,
        )
        published = target.publish(step, load, _progress(running, step, load))
    _remember(running, step, target, part.data, load_id)
    return published


def _together(done: Sequence[Published]) -> Published:
    """Deliveries one after the other, told as one."""
    last = done[-1]
    counted = {
        name: sum(getattr(one, name) for one in done)
        for name in ("sent", "inserted", "updated", "deleted", "unchanged")
    }
    return replace(last, already_published=all(one.already_published for one in done), **counted)


def _progress(running: Running, step: Publish, load: Load) -> Callable[[int, str], None]:
    size = load.path.stat().st_size

    def report(rows: int, message: str) -> None:
        sent = size * rows // load.rows if load.rows else 0
        running.emit(
            StepProgress(step=step.id, rows=rows, total=load.rows, bytes=sent or None, message=message)
        )

    return report


def _remember(
    running: Running, step: Publish, target: Target, data: DataFingerprint | None, load_id: str | None
) -> StepState:
    state = StepState(
        step=step.node,
        fingerprint=step.fingerprint,
        inputs={step.input: str(data)} if data else {},
        data=data,
        schema=TableSchema(columns=step.columns) if data and step.series else None,
        change=load_id,
        passed={test.fingerprint: load_id for test in step.tests} if data and load_id else {},
        endpoint=hash_endpoint(target.endpoint()),
        run_id=running.run_id,
    )
    return _note(running, state)


def _note(running: Running, state: StepState) -> StepState:
    with running.engine.transaction() as transaction:
        transaction.write_state(state)
    running.state[state.step] = state
    return state


def _finished(
    step: Publish, data: DataFingerprint, rows: int, done: Published, load_id: str, seen: ObservedTarget
) -> StepFinished:
    # A plan that was made offline says no channel, and not why it is that one.
    notes = step.notes if step.channel else seen.notes
    said = step.warnings if step.channel else seen.diagnostics
    return StepFinished(
        step=step.id,
        status="reused" if done.already_published else "success",
        why="already published" if done.already_published else step.why,
        rows_in=rows,
        rows_out=None if done.already_published else done.sent,
        data=data,
        facts={
            "load_id": load_id,
            "channel": done.channel,
            "notes": list(notes),
            "sent": done.sent,
            "inserted": done.inserted,
            "updated": done.updated,
            "deleted": done.deleted,
            "unchanged": done.unchanged,
            "total_after": done.total_after,
            "already_published": done.already_published,
        },
        diagnostics=tuple(d for d in said if d.severity == "warning"),
    )
