"""`osiris-sql lineage`: where a column comes from, and where it goes."""

from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.completion import complete_model
from osiris_sql.cli.options import Env, EnvFile, Json, ProjectDir, Vars
from osiris_sql.types.diagnostic import ProjectError

PANEL, PLACE = "Look", 3
EXAMPLES = (
    "osiris-sql lineage orders.total",
    "osiris-sql lineage shop.orders.amount --down",
    "osiris-sql lineage --json | jq .coverage",
)


def command(
    column: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL.COLUMN]",
            help="A column, as model.column, source.table.column or target.table.column, or a whole model, "
            "source table or target table. Default: none, only the coverage.",
            autocompletion=complete_model,
        ),
    ] = None,
    up: Annotated[bool, typer.Option("--up", help="Only what it is made from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what it goes into.")] = False,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Follow a column to the sources and to the targets.

    Lineage is of values: a column that only filters, joins or groups is not in it. Needs no connection.
    Says for how many columns of the project it is known; what can't be known is called unknown. Models
    with a mistake are left out, and the exit code is 2.
    """
    from osiris_sql import api
    from osiris_sql.api.column_paths import follow_columns, measure_coverage
    from osiris_sql.cli.column_paths import coverage_text, paths_data, paths_text

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    errors = api.errors_of(manifest)
    try:
        paths = follow_columns(manifest, column) if column else ()
    except ProjectError as unknown:
        wrong = {model.name for model in api.add_wrong_models(project, manifest).models if not model.sql}
        named = column and column.removeprefix("model:").partition(".")[0] in wrong
        raise ProjectError(*errors, *(() if named else unknown.diagnostics)) from None
    coverage = measure_coverage(manifest)
    both = up == down
    if as_json:
        screen.print_json(paths_data(paths, coverage, up=up or both, down=down or both))
    else:
        if paths:
            screen.out().print(paths_text(paths, up=up or both, down=down or both), soft_wrap=True)
        (screen.err() if paths else screen.out()).print(coverage_text(coverage), soft_wrap=True)
    if errors:
        screen.print_diagnostics(errors, Path(project.root))
        raise typer.Exit(ProjectError.exit_code)
