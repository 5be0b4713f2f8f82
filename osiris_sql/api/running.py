"""The verbs that run a plan, and remove what runs left."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from osiris_sql.api.collected import Collected
from osiris_sql.protocols import Launcher, Sink
from osiris_sql.run.card import write_card
from osiris_sql.run.failed_tests import write_compiled
from osiris_sql.support import wire
from osiris_sql.support.interrupts import interrupts_after
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.plan import Plan
from osiris_sql.types.project import Project
from osiris_sql.types.result import RunResult, fold_events


def run_plan(
    plan: Plan,
    root: Path,
    environ: Mapping[str, str] | None = None,
    sinks: Sequence[Sink] = (),
    *,
    launcher: str = "local",
    fail_fast: bool = False,
) -> RunResult:
    """Run a plan and return what it did; the run's folder has everything that was said."""
    where: Launcher = load_plugin("launchers", launcher)()
    plan = where.prepare(plan, root)
    run_id = new_run_id(datetime.now(UTC))
    folder = root / ".osiris" / "runs" / run_id
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(wire.to_document(plan))
    collected = Collected()
    every: list[Sink] = [load_plugin("sinks", "files")(folder), collected, *sinks]
    try:
        where.launch(
            plan, root, run_id, os.environ if environ is None else environ, every, fail_fast=fail_fast
        )
    finally:
        with interrupts_after():  # what the run came to is kept, however much of a hurry there is
            for sink in every:
                sink.close()
    with interrupts_after():
        result = fold_events(collected.events)
        write_card(folder, plan, result)
        write_compiled(folder, plan, result)
    return result


def prepare_plan(plan: Plan, root: Path, launcher: str) -> Plan:
    """Return the plan as it will run there: for a sandbox it says what of the warehouse goes along."""
    where: Launcher = load_plugin("launchers", launcher)()
    return where.prepare(plan, root)


def new_run_id(now: datetime) -> str:
    """Return an id for a run: sortable by time, unique without asking anybody."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def clean_project(project: Project, *, warehouse: bool = False) -> list[str]:
    """Remove the runs, the cache, and the warehouse if asked; return the removed paths."""
    root = Path(project.root)
    file = root / project.warehouse
    doomed = [root / ".osiris" / "runs", root / ".osiris" / "cache", file.with_suffix(".spill")]
    if warehouse:
        doomed += [file, Path(f"{file}.wal")]
    removed = []
    for path in doomed:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        else:
            continue
        removed.append(str(path.relative_to(root)))
    return removed
