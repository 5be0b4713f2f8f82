"""`osiris-sql init`: a project that builds at once."""

from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli import screen
from osiris_sql.cli.options import Json

PANEL, PLACE = "Start", 1
EXAMPLES = ("osiris-sql init shop", "osiris-sql init . --name shop")


def command(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Made if it is not there.")] = Path(),
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The project's name; default: the folder's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a small project that builds at once, with no server.

    It reads two CSV files, has a staging view, a mart table, data tests and a unit test, and publishes to
    a DuckDB file. Nothing that is already there is overwritten.
    """
    from osiris_sql.project.scaffold import init_project

    written = init_project(folder, name)
    if as_json:
        screen.print_json({"folder": str(folder), "written": written})
        return
    for path in written:
        screen.out().print(path, soft_wrap=True)
    go = "" if folder == Path() else f"cd {folder} && "
    screen.err().print(f"\nnext: {go}osiris-sql build", style="bold", soft_wrap=True)
