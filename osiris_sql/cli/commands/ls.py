"""`osiris-sql ls`: what there is."""

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, EnvFile, Exclude, Json, ProjectDir, Select, State, Vars

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
    line can be given to --select.
    """
    from osiris_sql import api
    from osiris_sql.cli.model_table import nodes_data, nodes_lines

    manifest = inputs.compile_sound(inputs.open_project(env, project_dir, variables, env_file))
    past = api.find_past(manifest, [*(select or ()), *(exclude or ())], state)
    nodes = nodes_data(manifest, api.select_nodes(manifest, select or (), exclude or (), past))
    if as_json:
        screen.print_json(nodes)
    elif nodes:
        screen.out().print(nodes_lines(nodes), soft_wrap=True)
