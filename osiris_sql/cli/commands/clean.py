"""`osiris-sql clean`: remove what runs left behind."""

from typing import Annotated

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, Json, ProjectDir

PANEL, PLACE = "House", 1
EXAMPLES = ("osiris-sql clean", "osiris-sql clean --env dev --warehouse")


def command(
    warehouse: Annotated[
        bool, typer.Option("--warehouse", help="Remove the environment's warehouse as well.")
    ] = False,
    env: Env = None,
    project_dir: ProjectDir = None,
    as_json: Json = False,
) -> None:
    """Remove past runs, and the warehouse if asked to.

    Without its warehouse an environment is extracted and built from its beginning. Targets are never
    touched.
    """
    from osiris_sql import api

    project = inputs.open_project(env, project_dir, None, None)
    removed = api.clean_project(project, warehouse=warehouse)
    if as_json:
        screen.print_json(removed)
        return
    for path in removed:
        screen.out().print(f"removed {path}", soft_wrap=True)
    if not removed:
        screen.err().print("nothing to remove", style="dim")
