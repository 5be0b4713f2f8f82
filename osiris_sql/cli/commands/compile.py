"""`osiris-sql compile`: every model checked and explained, without a connection."""

from pathlib import Path

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, EnvFile, Exclude, Json, ProjectDir, Select, State, Vars
from osiris_sql.types.diagnostic import ProjectError

PANEL, PLACE = "Write", 2
EXAMPLES = (
    "osiris-sql compile",
    "osiris-sql compile --select orders",
    "osiris-sql compile --json | jq '.[] | .name, .columns'",
)


def command(
    select: Select = None,
    exclude: Exclude = None,
    state: State = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Compile models: verdict, columns and their exact types.

    The verdict says whether a model gives the same rows anywhere: proved, rewritten so that it does,
    declared by its author, or unsafe. Needs no connection: schemas come from sources.lock. All mistakes
    are shown at once, and models without one are listed nevertheless. With --select only those of the
    selected models and of what they read. Exit code 2 if there is a mistake.
    """
    from osiris_sql import api
    from osiris_sql.cli.model_data import model_data

    project = inputs.open_project(env, project_dir, variables, env_file)
    found = api.compile_chosen(project, select or (), exclude or (), state)
    if as_json:
        screen.print_json_lines(model_data(model) for model in found.models)
    elif found.models:
        from osiris_sql.cli.model_table import models_table

        screen.out().print(models_table(found.models))
    screen.print_diagnostics(found.diagnostics, Path(project.root))
    if any(d.severity == "error" for d in found.diagnostics):
        raise typer.Exit(ProjectError.exit_code)
