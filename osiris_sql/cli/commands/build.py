"""`osiris-sql build`: extract, build, test and publish what changed."""

from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli import inputs, plan_file
from osiris_sql.cli.options import (
    AsOf,
    Defer,
    Detach,
    Env,
    EnvFile,
    EventTimeEnd,
    EventTimeStart,
    Exclude,
    Fetch,
    Json,
    JUnit,
    On,
    ProjectDir,
    Select,
    State,
    Vars,
    WarnError,
)
from osiris_sql.cli.running import ask_sandbox, run_to_the_end

PANEL, PLACE = "Run", 2
EXAMPLES = (
    "osiris-sql build",
    "osiris-sql build --select +orders+ --exclude tag:slow",
    "osiris-sql build --env prod --env-file prod.env --fail-fast",
    "osiris-sql build --plan plan.json",
    "osiris-sql build --select state:modified+",
    "osiris-sql build --resume",
    "osiris-sql build --select daily --event-time-start 2026-01-01 --event-time-end 2026-02-01",
    "osiris-sql build --select orders --defer prod",
    "osiris-sql build --on e2b --fetch",
)


def command(
    select: Select = None,
    exclude: Exclude = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan", metavar="FILE", help="Run exactly this plan, made by plan --out.", dir_okay=False
        ),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Read and build everything from its beginning.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last build where it stopped, at its run clock.")
    ] = False,
    state: State = None,
    defer: Defer = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Begin no further step after the first failure.")
    ] = False,
    on: On = "local",
    fetch: Fetch = False,
    detach: Detach = False,
    as_of: AsOf = None,
    event_time_start: EventTimeStart = None,
    event_time_end: EventTimeEnd = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    warn_error: WarnError = False,
    junit: JUnit = None,
    as_json: Json = False,
) -> None:
    """Extract, build, test and publish what changed.

    Unit tests of the selected models run first: if one fails, nothing is built. Data tests run before a
    table replaces the one that passed, and before anything is published. A failure stops what stands
    below it, nothing else. In a sandbox (--on e2b) the same plan gives the same result; the warehouse here
    stays as it is unless --fetch is given. The run's folder, .osiris/runs/ID, keeps plan.json,
    events.jsonl, run_results.json and the SQL of tests that failed.
    """
    ask_sandbox(on, fetch=fetch, detach=detach)
    if plan:
        planned = {"--select": select, "--exclude": exclude, "--full-refresh": full_refresh}
        batches = {"--event-time-start": event_time_start, "--event-time-end": event_time_end}
        compared = {"--resume": resume, "--state": state, "--defer": defer}
        frozen = {"--as-of": as_of, "--env": env, "--vars": variables, "--warn-error": warn_error}
        plan_file.refuse_options({**planned, **compared, **frozen, **batches})
        inputs.read_env_file(env_file)
        root = plan_file.project_root(project_dir)
        frozen_plan = plan_file.read_plan(plan)
        plan_file.refuse_other_project(frozen_plan, root)
        run_to_the_end(frozen_plan, root, as_json=as_json, fail_fast=fail_fast, on=on, junit=junit)
    from osiris_sql import api
    from osiris_sql.cli.planning import plan_build
    from osiris_sql.cli.unit_tests import run_units, stop_at_failures

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    chosen, left_out = select or [], exclude or []
    backfill = api.read_backfill(event_time_start, event_time_end)
    if resume:
        given = {"--select": select, "--exclude": exclude, "--full-refresh": full_refresh}
        plan_file.refuse_options(
            {**given, "--as-of": as_of, "--state": state, "--event-time-start": backfill}, by="--resume"
        )
        rest = api.resume_run(manifest)
        chosen, as_of, full_refresh = ["result:unfinished"], rest.as_of, rest.full_refresh
        backfill = rest.backfill
    past = rest.past if resume else api.find_past(manifest, [*chosen, *left_out], state)
    api.refuse_mistakes(project, manifest, chosen, left_out, past)
    units = run_units(project, manifest, select=chosen, exclude=left_out, past=past)
    stop_at_failures(units, as_json=as_json, junit=junit)
    made = plan_build(
        manifest,
        select=chosen,
        exclude=left_out,
        full_refresh=full_refresh,
        as_of=as_of,
        warn_error=warn_error,
        past=past,
        backfill=backfill,
        defer_to=defer,
    )
    run_to_the_end(
        made, Path(project.root), as_json=as_json, fail_fast=fail_fast, on=on, junit=junit, units=units
    )
