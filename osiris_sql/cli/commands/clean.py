"""`osiris-sql clean`: remove what runs left behind."""

from typing import Annotated

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, Json, ProjectDir

PANEL, PLACE = "House", 1
EXAMPLES = (
    "osiris-sql clean",
    "osiris-sql clean --env dev --warehouse",
    "osiris-sql clean --dropped",
    "osiris-sql clean --relation orders_history",
)


def command(
    warehouse: Annotated[
        bool, typer.Option("--warehouse", help="Remove the environment's warehouse as well.")
    ] = False,
    dropped: Annotated[
        bool,
        typer.Option(
            "--dropped",
            help="Remove instead tables and views that the project no longer has; no snapshot.",
        ),
    ] = False,
    relation: Annotated[
        list[str] | None,
        typer.Option(
            "--relation", metavar="NAME", help="Remove instead this table, view or snapshot, and its history."
        ),
    ] = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    as_json: Json = False,
) -> None:
    """Remove past runs and the cache; the warehouse if asked.

    Of the warehouse --dropped removes what an earlier build made of models, seeds and source tables that
    are gone from the project, and --relation what it names, which the next build makes again from its
    beginning. Without its warehouse an environment is extracted and built from its beginning. Targets
    are never touched.
    """
    from osiris_sql import api

    project = inputs.open_project(env, project_dir, None, None)
    if dropped or relation:
        manifest = inputs.compile_sound(project)
        done = api.drop_named(manifest, relation) if relation else api.drop_leftovers(manifest)
        removed = [*done.dropped, *(f"batches of {name}" for name in done.batches)]
        for node in done.kept:
            name = node.partition(":")[2]
            screen.err().print(f"kept the history {name}: --relation {name} drops it", soft_wrap=True)
    else:
        removed = api.clean_project(project, warehouse=warehouse)
    if as_json:
        screen.print_json(removed)
        return
    for path in removed:
        screen.out().print(f"removed {path}", soft_wrap=True)
    if not removed:
        screen.err().print("nothing to remove", style="dim")
