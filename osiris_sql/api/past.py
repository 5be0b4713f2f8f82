"""The verbs that look back: what an earlier run, or a plan file, says to a selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osiris_sql.api.history import list_runs, read_plan, read_run
from osiris_sql.plan.batches import Backfill
from osiris_sql.plan.past import Past, remember
from osiris_sql.plan.selection import asks_past
from osiris_sql.support import wire
from osiris_sql.support.calendar_grid import read_instant
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.plan import Extract, Materialize, Plan
from osiris_sql.types.result import RunResult


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """How the last build goes on: the same run clock, and `past` to select what it did not finish."""

    past: Past
    run_id: str
    as_of: str
    full_refresh: bool
    backfill: Backfill | None = None


def find_past(manifest: Manifest, words: Sequence[str], state: str | None = None) -> Past | None:
    """Return what `state:` and `result:` of a selection compare with: a run, a plan file, or by default
    the last build of the environment. None if no word asks, or nothing was built yet."""
    if not asks_past(words):
        return None
    root = Path(manifest.root)
    if state is not None and Path(state).suffix == ".json":
        return remember(_read_plan_file(Path(state)))
    if state is not None:
        return remember(read_plan(root, state), read_run(root, state))
    last = _last_build(manifest)
    return remember(*last) if last else None


def resume_run(manifest: Manifest) -> Resumed:
    """Return how the last build of the environment goes on where it stopped; raises ProjectError if
    nothing was built yet."""
    last = _last_build(manifest)
    if last is None:
        message = f"nothing was built in {manifest.env} yet, so nothing can be resumed"
        raise ProjectError(Diagnostic(rule="no-such-run", message=message, fix="osiris-sql build"))
    plan, result = last
    models = [step for step in plan.steps if isinstance(step, Materialize)]
    reads = [step for step in plan.steps if isinstance(step, Extract)]
    refreshed = any(step.full_refresh for step in models) or any(s.why == REFRESH for s in reads)
    return Resumed(
        past=remember(plan, result),
        run_id=result.run_id,
        as_of=plan.run_clock,
        full_refresh=refreshed,
        backfill=_backfill(models),
    )


def _backfill(models: Sequence[Materialize]) -> Backfill | None:
    asked = [step.batches for step in models if step.batches and step.batches.asked]
    if not asked:
        return None
    start, end = min(b.start for b in asked), max(b.end for b in asked)
    return Backfill(start=read_instant(start), end=read_instant(end))


REFRESH = "full refresh asked for"


def _last_build(manifest: Manifest) -> tuple[Plan, RunResult] | None:
    root = Path(manifest.root)
    for run in list_runs(root):
        if run.env == manifest.env and run.command == "build":
            plan = read_plan(root, run.run_id)
            # One that had nothing to do, since its selection matched nothing, is no build to compare with.
            if plan.steps:
                return plan, read_run(root, run.run_id) or run
    return None


def _read_plan_file(path: Path) -> Plan:
    try:
        return wire.from_json(Plan, path.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
    except ValueError as error:
        why = str(error).splitlines()[0]
    raise ProjectError(
        Diagnostic(
            rule="unreadable-plan", message="this is no plan", location=Location(path=str(path)), why=why
        )
    )
