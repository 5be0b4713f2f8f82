"""The only loop that runs steps: local, in a child process and in a sandbox alike."""

from __future__ import annotations

import errno
import hashlib
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from osiris_sql.protocols import Engine, Sink
from osiris_sql.run.connections import Connections, check_environ
from osiris_sql.run.crew import Crew
from osiris_sql.run.fit import refuse_misfit, refuse_moved, refuse_other_versions
from osiris_sql.run.journal import Journal
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.mistakes import placed
from osiris_sql.run.room import Room
from osiris_sql.run.schedule import Schedule
from osiris_sql.run.steps.check import run_check
from osiris_sql.run.steps.extract import run_extract
from osiris_sql.run.steps.materialize import run_materialize
from osiris_sql.run.steps.preview import run_preview
from osiris_sql.run.steps.probe import run_probe
from osiris_sql.run.steps.publish import run_publish
from osiris_sql.run.steps.running import Running
from osiris_sql.run.steps.tests import until_asked
from osiris_sql.support import wire
from osiris_sql.support.interrupts import interrupts_to, keyboard_interrupts
from osiris_sql.support.package import hash_code
from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, OsirisError
from osiris_sql.types.event import RunFinished, RunStarted, StepFinished, StepProgress, StepStarted
from osiris_sql.types.plan import Extract, Plan, Step

EXECUTORS: Mapping[str, Callable[[Running, Any], StepFinished]] = {
    "extract": run_extract,
    "materialize": run_materialize,
    "check": run_check,
    "publish": run_publish,
    "preview": run_preview,
    "probe": run_probe,
}

AGAIN = "out of memory beside other steps: tried again alone"


def execute(
    plan: Plan,
    root: Path,
    environ: Mapping[str, str],
    sinks: Sequence[Sink],
    *,
    run_id: str,
    launcher: str,
    fail_fast: bool = False,
) -> int:
    """Run a plan and return the exit code; everything it has to say goes to the sinks as events."""
    redactor = Redactor()
    journal = Journal(sinks, redactor)
    began = time.monotonic()
    diagnostics: tuple[Diagnostic, ...] = ()
    try:
        journal.emit(_started(plan, run_id, launcher))
        refuse_other_versions(plan)
        check_environ(plan.connections, environ)
        with keyboard_interrupts(), hold_warehouse(root / plan.warehouse, run_id):
            exit_code = _run_steps(plan, root, environ, journal, redactor, run_id, fail_fast=fail_fast)
    except OsirisError as error:
        exit_code, diagnostics = error.exit_code, error.diagnostics
    except KeyboardInterrupt:
        exit_code = CancelledError.exit_code
    status = {0: "success", CancelledError.exit_code: "cancelled"}.get(exit_code, "failed")
    seconds = round(time.monotonic() - began, 3)
    with suppress(KeyboardInterrupt):  # too late: the run has ended, and this is how
        journal.emit(
            RunFinished(status=status, exit_code=exit_code, seconds=seconds, diagnostics=diagnostics)  # type: ignore[arg-type]
        )
    return exit_code


def hash_plan(plan: Plan) -> str:
    """Return the sha256 of a plan's canonical JSON."""
    return hashlib.sha256(wire.to_document(plan).encode()).hexdigest()


def _started(plan: Plan, run_id: str, launcher: str) -> RunStarted:
    return RunStarted(
        run_id=run_id,
        project=plan.project,
        env=plan.env,
        command=plan.command,
        launcher=launcher,
        plan_sha256=hash_plan(plan),
        code_sha256=hash_code(),
        steps=len(plan.steps),
        versions=plan.versions,
    )


def _run_steps(
    plan: Plan,
    root: Path,
    environ: Mapping[str, str],
    journal: Journal,
    redactor: Redactor,
    run_id: str,
    *,
    fail_fast: bool,
) -> int:
    engine: Engine = load_plugin("engines", plan.engine)(
        root / plan.warehouse, plan.engine_settings, read_only=False
    )
    connections = Connections(plan.connections, environ, root, redactor, plan.endpoints)
    try:
        state = engine.read_state()
        refuse_misfit(plan, state)
        connections.refuse_others()
        if plan.deferred:
            refuse_moved(plan.deferred, engine.defer(root / plan.deferred.warehouse))
        running = Running(
            run_id=run_id,
            plan=plan,
            root=root,
            folder=root / ".osiris" / "runs" / run_id,
            engine=engine,
            connections=connections,
            emit=journal.emit,
            state=state,
            data={
                **(plan.deferred.nodes if plan.deferred else {}),
                **{node: str(known.data) for node, known in state.items() if known.data},
            },
        )
        return _loop(running, fail_fast=fail_fast)
    finally:
        connections.close()
        engine.close()


def _loop(running: Running, *, fail_fast: bool) -> int:
    schedule, room = Schedule(running.plan.steps), Room(running.plan.concurrency)
    exit_code = 0
    with Crew(running.plan.concurrency, partial(_run_step, running)) as crew:
        try:
            # Raised just anywhere, Ctrl-C would keep an event from a sink, or tell one twice.
            with interrupts_to(crew.cancel):
                while schedule.ready or crew.busy or room.waiting:
                    while room.free and (schedule.ready or room.waiting):
                        crew.start(_next_step(running, schedule, room))
                    for step, finished in crew.ended():
                        if room.leave(step, finished):
                            running.emit(StepProgress(step=step.id, message=AGAIN))
                            continue
                        running.emit(finished)
                        exit_code = max(exit_code, _settle(running, schedule, step, finished))
                    if exit_code and fail_fast:
                        schedule.stop()
        except KeyboardInterrupt:
            exit_code = CancelledError.exit_code
            running.cancelled.set()
            for finished in crew.stop(partial(_interrupt, running)):
                running.emit(finished)
            for step in room.clear():
                running.emit(StepFinished(step=step.id, status="cancelled", why=AGAIN))
            schedule.stop()
    for step in schedule.left():
        status = "cancelled" if exit_code == CancelledError.exit_code else "skipped"
        running.emit(StepFinished(step=step.id, status=status, why=schedule.why_left(step)))  # type: ignore[arg-type]
    return exit_code


def _next_step(running: Running, schedule: Schedule, room: Room) -> Step:
    if room.waiting:
        step = room.take_waiting()
    else:
        step = schedule.start()
        running.emit(StepStarted(step=step.id))
    room.enter(step)
    return step


def _settle(running: Running, schedule: Schedule, step: Step, finished: StepFinished) -> int:
    """Let what waits for a finished step go on, or skip it; return the exit code that it asks for."""
    ok = finished.status in ("success", "reused")
    schedule.finish(step, ok=ok)
    if isinstance(step, Extract) and not schedule.still_reads(step.connection):
        with suppress(OsirisError):
            running.connections.end_snapshot(step.connection)
    return 0 if ok else 1


def _run_step(running: Running, step: Step) -> StepFinished:
    """Run one step; whatever goes wrong becomes its result, so that the rest can go on."""
    began = time.monotonic()
    try:
        finished = until_asked(running, step, partial(EXECUTORS[step.kind], running, step))
    except OsirisError as error:
        cancelled = isinstance(error, CancelledError) or running.cancelled.is_set()
        finished = StepFinished(
            step=step.id,
            status="cancelled" if cancelled else "failed",
            diagnostics=placed(error, step.location).diagnostics,
        )
    except Exception as error:  # noqa: BLE001 - a bug of ours must not end the other steps
        finished = StepFinished(
            step=step.id,
            status="cancelled" if running.cancelled.is_set() else "failed",
            diagnostics=(_bug(step, error),),
        )
    return replace(finished, seconds=round(time.monotonic() - began, 3))


def _bug(step: Step, error: Exception) -> Diagnostic:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Diagnostic(
            rule="disk-full",
            message="the disk is full",
            location=step.location,
            why=str(error),
            fix="free some space and build again",
        )
    return Diagnostic(
        rule="internal-error",
        message=f"a bug in osiris-sql: {type(error).__name__}",
        location=step.location,
        why="".join(traceback.format_exception(error)),
        fix="please report it, with the files of this run's folder",
    )


def _interrupt(running: Running) -> None:
    running.engine.interrupt()
    running.connections.interrupt()
