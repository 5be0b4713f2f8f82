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
    "osiris-sql lint --diff",
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
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be without changing what a query means.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what --fix would change; write nothing.")
    ] = False,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Check files, names, types, determinism and style.

    Needs no connection: schemas come from sources.lock. A line is excused by the comment
    `-- noqa: rule-name`. Exit code 1 if there are errors or warnings, or changes to show.
    """
    from osiris_sql import api
    from osiris_sql.cli.findings import models_alone, paths_in_project, show_findings
    from osiris_sql.cli.fixing import show_changes, write_changes

    project = inputs.open_project(env, project_dir, variables, env_file)
    root = Path(project.root)
    chosen = paths_in_project(paths or [], root)
    look = None if chosen or fix or diff else api.lint_along
    manifest = api.compile_project(project, only=models_alone(project, chosen), look=look)
    if diff:
        fixed = api.fix_project(project, manifest, chosen)
        show_changes(project, fixed.texts)
        raise typer.Exit(1 if fixed.texts else 0)
    if fix:
        fixed = api.fix_project(project, manifest, chosen)
        write_changes(project, fixed.texts, fixed.mended)
        findings = fixed.findings
    else:
        findings = api.lint_project(project, manifest, chosen)
    show_findings(findings, root, "json" if as_json else output.value)
    raise typer.Exit(1 if any(finding.severity != "info" for finding in findings) else 0)
