"""`osiris-sql discover`: the sources' schemas, recorded."""

import os
from typing import Annotated

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, EnvFile, Json, ProjectDir, Vars
from osiris_sql.types.diagnostic import StepError

PANEL, PLACE = "Start", 2
EXAMPLES = (
    "osiris-sql discover",
    "osiris-sql discover shop --env prod --env-file prod.env",
    "osiris-sql discover --propose",
)


def command(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCES]...", help="Sources of sources.yml; default: all.")
    ] = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    propose: Annotated[
        bool,
        typer.Option(
            "--propose", help="Print YAML of the tables that sources.yml lacks; arguments are connections."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Record the columns and types of source tables in sources.lock.

    Commit that file: with it everything compiles without a connection. Says what changed since last time;
    a table that its source does not have is a failure (exit code 1). With --propose nothing is recorded.
    """
    from osiris_sql import api
    from osiris_sql.cli.changes import change_diagnostics, change_lines, changes_data

    project = inputs.open_project(env, project_dir, variables, env_file)
    if propose:
        typer.echo(api.propose_sources(project, sources or [], os.environ), nl=False)
        return
    changes = api.discover_sources(project, sources or [], os.environ)
    if as_json:
        screen.print_json(changes_data(changes))
    else:
        screen.out().print(change_lines(changes), soft_wrap=True)
    if missing := change_diagnostics(changes):
        raise StepError(*missing)
