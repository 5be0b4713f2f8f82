"""`osiris-sql runs`: what was run, how two runs differ; go on with one in a sandbox; remove old ones."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osiris_sql.cli import inputs, plan_file, screen
from osiris_sql.cli.options import EnvFile, Json, ProjectDir
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.result import RunResult

if TYPE_CHECKING:
    from osiris_sql.api import FactChange

PANEL, PLACE = "Look", 3
EXAMPLES = (
    "osiris-sql runs",
    "osiris-sql runs show 20260131T120000-a1b2c3",
    "osiris-sql runs compare 20260131T120000-a1b2c3 20260131T130000-d4e5f6",
    "osiris-sql runs attach 20260131T120000-a1b2c3",
    "osiris-sql runs gc --keep 10 --days 30",
)


class Action(StrEnum):
    """What to do with runs."""

    LIST = "list"
    SHOW = "show"
    COMPARE = "compare"
    ATTACH = "attach"
    GC = "gc"


def command(
    action: Annotated[
        Action,
        typer.Argument(help="list, show or compare runs, attach to one in a sandbox, or gc."),
    ] = Action.LIST,
    run: Annotated[str | None, typer.Argument(help="The run that is meant.", metavar="RUN")] = None,
    other: Annotated[str | None, typer.Argument(help="The run to compare it with.", metavar="OTHER")] = None,
    keep: Annotated[int, typer.Option("--keep", metavar="N", min=0, help="gc: the latest N runs stay.")] = 50,
    days: Annotated[
        int | None,
        typer.Option("--days", metavar="DAYS", min=0, help="gc: so do all that are younger than DAYS."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="gc: end also sandboxes whose run can still be attached.")
    ] = False,
    project_dir: ProjectDir = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """List, show and compare runs, attach to one, remove old ones.

    compare tells the facts that differ: rows, data fingerprints, verdicts of tests; never times.

    A run in a sandbox outlives its client: attach shows all it said, goes on from there, and brings back
    what it wrote. gc removes the folders of old runs, never the last build of an environment, and ends the
    sandboxes that this project folder started and that nobody can attach to.
    """
    from osiris_sql import api

    inputs.read_env_file(env_file)
    root = plan_file.project_root(project_dir)
    match action:
        case Action.LIST:
            _show(api.list_runs(root), as_json=as_json)
        case Action.SHOW if run:
            _show_card(api.read_card(root, run), as_json=as_json)
        case Action.COMPARE if run and other:
            _show_changes(api.compare_runs(root, run, other), as_json=as_json)
        case Action.ATTACH if run:
            _attach(root, run, as_json=as_json)
        case Action.SHOW | Action.COMPARE | Action.ATTACH:
            needed = "RUN OTHER" if action is Action.COMPARE else "RUN"
            fix = f"osiris-sql runs {action.value} {needed}"
            raise ProjectError(Diagnostic(rule="no-run", message="which run?", fix=fix))
        case Action.GC:
            _collect(root, keep, days, every=every, as_json=as_json)


def _collect(root: Path, keep: int, days: int | None, *, every: bool, as_json: bool) -> None:
    from osiris_sql import api

    # Without a key nobody here has ever started a sandbox.
    ended = api.collect_sandboxes(root, os.environ, every=every) if os.environ.get("E2B_API_KEY") else []
    removed = api.remove_runs(root, keep=keep, days=days)
    if as_json:
        screen.print_json({"sandboxes": ended, "runs": removed})
        return
    said = [*(f"ended {id_}" for id_ in ended), *(f"removed {id_}" for id_ in removed)]
    screen.out().print("\n".join(said) or "nothing to remove", soft_wrap=True)


def _show_card(card: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        screen.print_json(card)
        return
    facts, observed = card["facts"], card["observed"]
    screen.out().print(f"{observed['run_id']}  {facts['status']}  {observed['seconds']}s", soft_wrap=True)
    for name, step in facts["steps"].items():
        rows = "" if step["rows_out"] is None else f"{step['rows_out']:,} rows"
        seconds = observed["step_seconds"][name]
        screen.out().print(f"  {step['status']:9} {name}  {rows}  {seconds}s".rstrip(), soft_wrap=True)
    for name, test in facts["tests"].items():
        screen.out().print(f"  {test['status']:9} test {name}", soft_wrap=True)


def _show_changes(changes: "list[FactChange]", *, as_json: bool) -> None:
    if as_json:
        screen.print_json([asdict(change) for change in changes])
        return
    for change in changes:
        screen.out().print(f"{change.fact}: {change.before} → {change.after}", soft_wrap=True, markup=False)
    if not changes:
        screen.err().print("the same facts", style="dim")


def _attach(root: Path, run_id: str, *, as_json: bool) -> None:
    from osiris_sql import api
    from osiris_sql.support.plugins import load_plugin

    plan = api.read_plan(root, run_id)
    sink = (
        load_plugin("sinks", "jsonlines")()
        if as_json
        else load_plugin("sinks", "console")(plan, root, out=screen.out(), err=screen.err())
    )
    try:
        result = api.attach_run(root, run_id, os.environ, [sink])
    finally:
        sink.close()
    raise typer.Exit(result.exit_code or 0)


def _show(runs: list[RunResult], *, as_json: bool) -> None:
    if as_json:
        keys = ("run_id", "command", "env", "status", "exit_code", "started_at", "seconds")
        screen.print_json([{key: getattr(run, key) for key in keys} for run in runs])
        return
    for run in runs:
        line = f"{run.run_id}  {run.command:8} {run.env:8} {run.status:9} {run.seconds:8.1f}s"
        screen.out().print(line, soft_wrap=True)
    if not runs:
        screen.err().print("nothing was run yet", style="dim")
