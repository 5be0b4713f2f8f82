"""`osiris-sql verify`: the same plan gives the same result, wherever it runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import AsOf, Env, EnvFile, Exclude, Json, ProjectDir, Select, Vars

if TYPE_CHECKING:
    from osiris_sql.api.parity import Parity

PANEL, PLACE = "Run", 4
EXAMPLES = ("osiris-sql verify --on local,child", "osiris-sql verify --on local,e2b --select +orders")


def command(
    select: Select = None,
    exclude: Exclude = None,
    on: Annotated[
        str, typer.Option("--on", metavar="LAUNCHERS", help="The launchers to compare, with commas between.")
    ] = "local,child",
    as_of: AsOf = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Prove that a build gives the same result here and there.

    Builds what is selected from nothing with each launcher, in folders of their own, and compares the
    facts of the run cards: hashes, counts, verdicts and data fingerprints. Publishes nothing, and leaves
    the warehouse as it is. Exit code 1 if anything differs.
    """
    from osiris_sql import api

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = inputs.compile_sound(project)
    plan = api.make_parity_plan(manifest, os.environ, select=select or (), exclude=exclude or (), as_of=as_of)
    launchers = [name.strip() for name in on.split(",") if name.strip()]
    found = api.compare_launchers(plan, Path(project.root), launchers)
    worst = max((result.exit_code or 0 for result in found.results.values()), default=0)
    for result in found.results.values():
        screen.print_diagnostics(result.diagnostics, Path(project.root))
    if as_json:
        screen.print_json(
            {
                "status": {name: result.status for name, result in found.results.items()},
                "steps": len(plan.steps),
                "differences": [{"fact": d.fact, "values": dict(d.values)} for d in found.differences],
            }
        )
    else:
        _show(found, len(plan.steps))
    raise typer.Exit(worst or (1 if found.differences else 0))


def _show(found: "Parity", steps: int) -> None:
    out = screen.out()
    for name, result in found.results.items():
        out.print(
            f"{name}: {result.status}, {len(result.steps)} steps, {result.seconds:.1f}s", soft_wrap=True
        )
    for difference in found.differences:
        out.print(f"✗ {difference.fact}", style="bold red", soft_wrap=True)
        for name, value in difference.values.items():
            out.print(f"    {name}  {value}", soft_wrap=True)
    if not found.differences:
        out.print(f"equal: the facts of {steps} steps are the same on {', '.join(found.results)}")
