"""`osiris-sql lint`: what is wrong or risky, without a connection."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli import inputs
from osiris_sql.cli.options import Env, EnvFile, Json, ProjectDir, Vars

PANEL, PLACE = "Write", 1
EXAMPLES = (
    "osiris-sql lint",
    "osiris-sql lint models/marts models/staging/stg_orders.sql",
    "osiris-sql lint --format github",
)


class Format(StrEnum):
    """How findings are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


def command(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATHS]...", help="Files or folders; default: all.")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="How findings are printed.", rich_help_panel="Output")
    ] = Format.text,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Check files, names, types, determinism and style.

    Needs no connection: schemas come from sources.lock. A line is excused by the comment
    `-- noqa: rule-name`. Exit code 1 if there are findings.
    """
    from osiris_sql import api
    from osiris_sql.cli.findings import paths_in_project, show_findings

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    findings = api.lint_project(project, manifest, paths_in_project(paths or [], Path(project.root)))
    show_findings(findings, Path(project.root), "json" if as_json else output.value)
    raise typer.Exit(1 if findings else 0)
