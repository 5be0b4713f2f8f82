"""`osiris-sql ls`: what there is."""

from pathlib import Path

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, EnvFile, Exclude, Json, ProjectDir, Select, State, Vars
from osiris_sql.types.diagnostic import ProjectError

PANEL, PLACE = "Look", 2
EXAMPLES = ("osiris-sql ls", "osiris-sql ls --select +orders", "osiris-sql ls -s path:models/marts --json")


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
    """List sources, models, data tests and publications.

    With the places where they are declared, in build order within each type; what is printed first in a
    line can be given to --select. A model with a mistake is listed too; exit code 2 if one is selected.
    """
    from osiris_sql import api
    from osiris_sql.cli.model_data import nodes_data

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    whole = api.add_wrong_models(project, manifest)
    past = api.find_past(manifest, [*(select or ()), *(exclude or ())], state)
    chosen = api.select_nodes(whole, select or (), exclude or (), past)
    nodes = nodes_data(whole, chosen)
    if as_json:
        screen.print_json(nodes)
    elif nodes:
        from osiris_sql.cli.model_table import nodes_lines

        screen.print_text(nodes_lines(nodes))
    if api.are_stopped(project, manifest, chosen):
        screen.print_diagnostics(api.errors_of(manifest), Path(project.root))
        raise typer.Exit(ProjectError.exit_code)
