"""`osiris-sql doctor`: is everything there that a run needs?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, EnvFile, Json, On, ProjectDir, Vars

if TYPE_CHECKING:
    from osiris_sql.types.project import Project

PANEL, PLACE = "Start", 3
EXAMPLES = (
    "osiris-sql doctor",
    "osiris-sql doctor --env prod --env-file prod.env",
    "osiris-sql doctor --on e2b --make-template",
    "osiris-sql doctor --bootstrap > once.sql",
)


def command(
    on: On = "local",
    make_template: Annotated[
        bool,
        typer.Option(
            "--make-template", help="With --on e2b: first build the sandbox's template, if missing."
        ),
    ] = False,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Print the SQL that makes publishing over REST atomic.")
    ] = False,
    install: Annotated[
        bool, typer.Option("--install", help="With --bootstrap: run it over the target's dsn.")
    ] = False,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Check variables, and connect to every source and target.

    Changes nothing. With --on e2b the connections are tried from inside a sandbox. Names the variables
    that are not set, then what each connection answered, and how to cure what is wrong. Exit code 2 if a
    variable is missing or the files are wrong, 3 if a connection does not answer.
    """
    from osiris_sql.cli.checkup import check_up, show_checkup

    inputs.read_env_file(env_file)
    if make_template:
        _make_template(on)
    project = inputs.open_project(env, project_dir, variables, env_file)
    if bootstrap:
        _bootstrap(project, install=install)
        return
    found = check_up(project, on)
    screen.print_diagnostics(found.diagnostics, Path(project.root))
    show_checkup(found, as_json=as_json)
    raise typer.Exit(found.exit_code)


def _bootstrap(project: Project, *, install: bool) -> None:
    from osiris_sql import api

    shown = api.bootstrap_targets(inputs.compile_sound(project), os.environ, install=install)
    for name, sql in shown.items():
        screen.err().print(f"{'installed' if install else 'to be run once'}: {name}", soft_wrap=True)
        if not install:
            typer.echo(sql)


def _make_template(on: str) -> None:
    if on != "e2b":
        raise typer.BadParameter("--make-template is for --on e2b")
    from osiris_sql import api

    with screen.err().status("building the template: this takes some minutes"):
        name, built = api.make_template(os.environ)
    screen.err().print(f"template {name} {'is built' if built else 'was there'}", soft_wrap=True)
