"""`osiris-sql runs`: what was run; go on with a run in a sandbox; end what sandboxes were left behind."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli import inputs, plan_file, screen
from osiris_sql.cli.options import EnvFile, Json, ProjectDir
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.result import RunResult

PANEL, PLACE = "Look", 3
EXAMPLES = ("osiris-sql runs", "osiris-sql runs attach 20260131T120000-a1b2c3", "osiris-sql runs gc --all")


class Action(StrEnum):
    """What to do with runs."""

    LIST = "list"
    ATTACH = "attach"
    GC = "gc"


def command(
    action: Annotated[
        Action, typer.Argument(help="list them, attach to one that lost its client, or gc sandboxes.")
    ] = Action.LIST,
    run: Annotated[str | None, typer.Argument(help="The run to attach to.", metavar="RUN")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="gc: end also those whose run can still be attached.")
    ] = False,
    project_dir: ProjectDir = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """List past runs, attach to one, end sandboxes left behind.

    A run in a sandbox outlives its client: attach shows all it said, goes on from there, and brings back
    what it wrote. gc ends the sandboxes that this project folder started and that nobody can attach to.
    """
    from osiris_sql import api

    inputs.read_env_file(env_file)
    root = plan_file.project_root(project_dir)
    match action:
        case Action.LIST:
            _show(api.list_runs(root), as_json=as_json)
        case Action.ATTACH if run:
            _attach(root, run, as_json=as_json)
        case Action.ATTACH:
            raise ProjectError(
                Diagnostic(rule="no-run", message="which run?", fix="osiris-sql runs attach RUN")
            )
        case Action.GC:
            killed = api.collect_sandboxes(root, os.environ, every=every)
            if as_json:
                screen.print_json(killed)
            else:
                screen.out().print("\n".join(f"ended {id_}" for id_ in killed) or "no sandbox was left")


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
