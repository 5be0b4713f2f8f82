"""`osiris-sql verify`: the same rows, however and wherever it runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osiris_sql.cli import inputs, screen
from osiris_sql.cli.options import AsOf, Env, EnvFile, Exclude, Json, ProjectDir, Select, Vars

if TYPE_CHECKING:
    from osiris_sql.api.parity import Parity
    from osiris_sql.types.manifest import Manifest

PANEL, PLACE = "Run", 4
EXAMPLES = (
    "osiris-sql verify",
    "osiris-sql verify --select +orders --rows 0",
    "osiris-sql verify --on local,e2b --select +orders",
)


def command(
    select: Select = None,
    exclude: Exclude = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="LAUNCHERS",
            help="Build from nothing with each launcher instead (local,child,e2b); compare run cards.",
        ),
    ] = None,
    rows: Annotated[
        int,
        typer.Option("--rows", metavar="N", min=0, help="The most rows of an input to take; 0 takes all."),
    ] = 500_000,
    as_of: AsOf = None,
    env: Env = None,
    project_dir: ProjectDir = None,
    variables: Vars = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Prove that models give the same rows, by running them again.

    On copies of the warehouse's rows, with other numbers of threads, rows stored in other orders and in
    other portions, and other engine settings. What differs is named: column, rows, construct. Incremental
    models must also give what a full rebuild gives. Publishes nothing, and leaves the warehouse as it is.
    Exit code 1 if anything differs that was not declared.
    """
    from osiris_sql import api

    project = inputs.open_project(env, project_dir, variables, env_file)
    manifest = api.compile_project(project)
    api.refuse_mistakes(project, manifest, select or (), exclude or ())
    if on is None:
        _prove(manifest, select or (), exclude or (), as_of, rows, as_json=as_json)
    else:
        _compare(manifest, on, select or (), exclude or (), as_of, as_json=as_json)


def _prove(
    manifest: "Manifest",
    select: list[str] | tuple[str, ...],
    exclude: list[str] | tuple[str, ...],
    as_of: str | None,
    rows: int,
    *,
    as_json: bool,
) -> None:
    from osiris_sql.api.proof import prove_models
    from osiris_sql.cli.proofs import proofs_data, proofs_text

    with screen.err().status("copying rows") as status:
        proofs = prove_models(
            manifest, select=select, exclude=exclude, as_of=as_of, rows=rows, notify=status.update
        )
    if as_json:
        screen.print_json(proofs_data(proofs))
    else:
        screen.out().print(proofs_text(proofs), soft_wrap=True)
    raise typer.Exit(1 if any(proof.is_wrong for proof in proofs) else 0)


def _compare(
    manifest: "Manifest",
    on: str,
    select: list[str] | tuple[str, ...],
    exclude: list[str] | tuple[str, ...],
    as_of: str | None,
    *,
    as_json: bool,
) -> None:
    from osiris_sql import api

    root = Path(manifest.root)
    plan = api.make_parity_plan(manifest, os.environ, select=select, exclude=exclude, as_of=as_of)
    launchers = [name.strip() for name in on.split(",") if name.strip()]
    found = api.compare_launchers(plan, root, launchers)
    worst = max((result.exit_code or 0 for result in found.results.values()), default=0)
    for result in found.results.values():
        screen.print_diagnostics(result.diagnostics, root)
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
