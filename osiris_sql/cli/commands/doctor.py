"""`osiris-sql doctor`: is everything there that a run needs?"""

from pathlib import Path

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import Env, EnvFile, Json, On, ProjectDir, Vars

PANEL, PLACE = "Start", 3
EXAMPLES = (
    "osiris-sql doctor",
    "osiris-sql doctor --env prod --env-file prod.env",
    "osiris-sql doctor --on e2b",
)


def command(
    on: On = "local",
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Check variables, and connect to every source and target.

    Changes nothing. With --on e2b the connections are tried from inside a sandbox. Names the variables
    that are not set, then what each connection answered, and how to cure what is wrong. Exit code 2 if a
    variable is missing or the files are wrong, 3 if a connection does not answer.
    """
    from osiris_sql.cli.checkup import check_up, show_checkup

    project = inputs.open_project(env, project_dir, variables, env_file)
    found = check_up(project, on)
    screen.print_diagnostics(found.diagnostics, Path(project.root))
    show_checkup(found, as_json=as_json)
    raise typer.Exit(found.exit_code)
