"""`osiris-sql plan`: what a build would do, and why."""

import os
from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli import inputs, plan_file, screen
from osiris_sql.cli.options import (
    AsOf,
    Defer,
    Env,
    EnvFile,
    EventTimeEnd,
    EventTimeStart,
    Exclude,
    Json,
    On,
    ProjectDir,
    Select,
    State,
    Vars,
)

PANEL, PLACE = "Run", 1
EXAMPLES = (
    "osiris-sql plan",
    "osiris-sql plan --select +orders --as-of 2026-01-31",
    "osiris-sql plan --on e2b",
    "osiris-sql plan --diff",
    "osiris-sql plan --env prod --out plan.json && osiris-sql build --plan plan.json",
)


def command(
    select: Select = None,
    exclude: Exclude = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the plan, for build --plan.", dir_okay=False),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Open no connection: use sources.lock and the last state alone.")
    ] = False,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Read and build everything from its beginning.")
    ] = False,
    on: On = "local",
    diff: Annotated[
        bool, typer.Option("--diff", help="Compare the rows that are built with those at the targets.")
    ] = False,
    state: State = None,
    defer: Defer = None,
    as_of: AsOf = None,
    event_time_start: EventTimeStart = None,
    event_time_end: EventTimeEnd = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Show what a build would do and why; change nothing.

    Each step runs, is reused, or runs if what it reads has changed by then. Lists the publications to
    come and the environment variables that the run will need. With --on e2b also which relations of the
    warehouse are carried into the sandbox, and which are built again there.

    With --diff each publication is laid beside its table: rows to insert, update and delete, with the first
    of each. Nothing is built or written for it: the rows are those of the last build.
    """
    from osiris_sql import api
    from osiris_sql.cli.difference_table import show_differences, write_differences
    from osiris_sql.cli.planning import plan_build, show_plan

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    chosen, left_out = select or (), exclude or ()
    past = api.find_past(manifest, [*chosen, *left_out], state)
    api.refuse_mistakes(project, manifest, chosen, left_out, past)
    plan = plan_build(
        manifest,
        select=chosen,
        exclude=left_out,
        full_refresh=full_refresh,
        as_of=as_of,
        offline=offline,
        while_running=True,
        past=past,
        backfill=api.read_backfill(event_time_start, event_time_end),
        defer_to=defer,
    )
    plan = api.prepare_plan(plan, Path(project.root), on)
    found = api.diff_publications(plan, Path(project.root), os.environ) if diff else ()
    if diff and as_json:
        write_differences(plan, found)
    else:
        show_plan(plan, os.environ, as_json=as_json)
    if diff and not as_json:
        show_differences(found)
    if out:
        plan_file.write_plan(out, plan)
        screen.err().print(f"written: {out}", soft_wrap=True)
