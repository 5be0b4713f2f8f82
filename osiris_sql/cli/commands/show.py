"""`osiris-sql show`: the first rows of a model."""

from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli import inputs
from osiris_sql.cli.completion import complete_model
from osiris_sql.cli.options import AsOf, Defer, Env, EnvFile, Json, ProjectDir, Vars
from osiris_sql.cli.running import run_shown

PANEL, PLACE = "Look", 1
EXAMPLES = ("osiris-sql show orders", "osiris-sql show shop.orders --limit 5 --json")


def command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A model, or a source table as source.table.", autocompletion=complete_model
        ),
    ],
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="ROWS", min=1, help="How many rows.")] = 20,
    defer: Defer = None,
    as_of: AsOf = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Show the first rows of a model or source table.

    As it was built last, in a total order: the same rows every time."""
    from osiris_sql.cli.planning import plan_show
    from osiris_sql.cli.preview import show_rows

    project = inputs.open_project(env, project_dir, variables, env_file)
    plan = plan_show(project, model, limit, as_of, defer)
    result = run_shown(plan, Path(project.root), summary=False)
    show_rows(result, limit, as_json=as_json)
    raise typer.Exit(result.exit_code or 0)
