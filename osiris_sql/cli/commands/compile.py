"""`osiris-sql compile`: every model checked and explained, without a connection."""

from pathlib import Path

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, EnvFile, Json, ProjectDir, Vars
from osiris_sql.types.diagnostic import ProjectError

PANEL, PLACE = "Write", 2
EXAMPLES = ("osiris-sql compile", "osiris-sql compile --json | jq '.[] | .name, .columns'")


def command(
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Compile every model: verdict, columns and their exact types.

    The verdict says whether a model gives the same rows anywhere: proved, rewritten so that it does,
    declared by its author, or unsafe. Needs no connection: schemas come from sources.lock. All mistakes
    are shown at once, and models without one are listed nevertheless. Exit code 2 if there is a mistake.
    """
    from osiris_sql import api
    from osiris_sql.cli.model_table import model_data, models_table

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    if as_json:
        screen.print_json([model_data(model) for model in manifest.models])
    elif manifest.models:
        screen.out().print(models_table(manifest))
    screen.print_diagnostics(manifest.diagnostics, Path(project.root))
    if any(d.severity == "error" for d in manifest.diagnostics):
        raise typer.Exit(ProjectError.exit_code)
