"""`osiris-sql test`: unit tests, and data tests on what is built."""

from pathlib import Path

import typer

from osiris_sql.cli import inputs
from osiris_sql.cli.options import (
    AsOf,
    Defer,
    Env,
    EnvFile,
    Exclude,
    Json,
    JUnit,
    ProjectDir,
    Select,
    Vars,
    WarnError,
)
from osiris_sql.cli.running import run_shown

PANEL, PLACE = "Run", 3
EXAMPLES = (
    "osiris-sql test",
    "osiris-sql test --select orders customers",
    "osiris-sql test --warn-error --junit out/tests.xml",
)


def command(
    select: Select = None,
    exclude: Exclude = None,
    defer: Defer = None,
    as_of: AsOf = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    warn_error: WarnError = False,
    junit: JUnit = None,
    as_json: Json = False,
) -> None:
    """Run unit tests, and data tests on what is built.

    Builds and publishes nothing. Each failure names the place of its declaration, the count of offending
    rows and the first of them. Exit code 1 if a test fails; a warning is a failure only with --warn-error.
    """
    from osiris_sql import api
    from osiris_sql.cli.planning import plan_tests
    from osiris_sql.cli.unit_test_report import show_failed, show_unit_tests
    from osiris_sql.cli.unit_tests import run_units

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    api.refuse_mistakes(project, manifest, select or (), exclude or ())
    units = run_units(project, manifest, select=select or (), exclude=exclude or ())
    show_unit_tests(units, as_json=as_json)
    plan = plan_tests(
        manifest,
        select=select or (),
        exclude=exclude or (),
        as_of=as_of,
        warn_error=warn_error,
        defer_to=defer,
    )
    result = run_shown(plan, Path(project.root), events=as_json, junit=junit, units=units)
    if not as_json:
        show_failed(units)
    raise typer.Exit(result.exit_code or int(any(t.status != "pass" for t in units)))
