"""What `doctor` finds: missing variables first, then what each connection answered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from osiris_sql import api
from osiris_sql.cli import screen
from osiris_sql.cli.running import run_shown
from osiris_sql.support import wire
from osiris_sql.support.excerpt import printable
from osiris_sql.support.secrets import env_names
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, UnreachableError
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import Plan, PlannedConnection
from osiris_sql.types.project import Project
from osiris_sql.types.result import RunResult


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """The outcome: `diagnostics` are the project's own, and one for each variable that is not set."""

    plan: Plan
    result: RunResult
    diagnostics: tuple[Diagnostic, ...]
    exit_code: int


def check_up(project: Project, on: str = "local") -> Checkup:
    """Return what is wrong with the files and variables, and what the connections answered.

    `on` is the launcher: where they are asked from. A connection that lacks a variable is not asked;
    the others are, whatever is wrong elsewhere.
    """
    manifest = api.compile_project(project)
    plan = api.make_plan(manifest, Observed(), command="doctor")
    missing = tuple(d for connection in plan.connections for d in _missing(connection, os.environ))
    lame = {(c.role, c.name) for c in plan.connections if list(_missing(c, os.environ))}
    able = replace(
        plan,
        steps=tuple(s for s in plan.steps if s.kind == "probe" and (s.role, s.connection) not in lame),
        connections=tuple(c for c in plan.connections if (c.role, c.name) not in lame),
    )
    result = run_shown(able, Path(project.root), summary=False, on=on)
    wrong = tuple(d for d in manifest.diagnostics if d.severity == "error")
    code = result.exit_code or 0
    if code and any(step.status == "failed" for step in result.steps):
        code = UnreachableError.exit_code
    return Checkup(
        plan=plan,
        result=result,
        diagnostics=(*missing, *wrong),
        exit_code=code or (ProjectError.exit_code if missing or wrong else 0),
    )


def _missing(connection: PlannedConnection, environ: Mapping[str, str]) -> list[Diagnostic]:
    return [
        Diagnostic(
            rule="missing-variable",
            message=f"the environment variable {name} is not set",
            location=connection.location,
            why=f'{connection.role} connection "{connection.name}" (type {connection.type}) needs it',
            fix=f"export {name}=... or pass --env-file FILE",
        )
        for name in env_names(connection.options)
        if not environ.get(name)
    ]


def show_checkup(found: Checkup, *, as_json: bool) -> None:
    """Print one line a connection with what answered, or all of it as JSON."""
    answers = {finished.step: finished for finished in found.result.steps}
    if as_json:
        screen.print_json(_checkup_data(found))
        return
    types = {(c.role, c.name): c.type for c in found.plan.connections}
    for step in found.plan.steps:
        if step.kind != "probe":
            continue
        finished = answers.get(step.id)
        text = Text.assemble(
            ("✓ ", "green") if finished and finished.status == "success" else ("✗ ", "bold red"),
            (printable(f"{step.role} {step.connection}"), "bold"),
            (f"  {types[step.role, step.connection]}", "cyan"),
        )
        if finished is None:
            text.append("  not asked: a variable is not set", "yellow")
        elif finished.status != "success":
            text.append(f"  {finished.status}", "red")
        for name, value in (finished.facts if finished else {}).items():
            text.append(f"\n    {printable(name)}  ", "dim").append(printable(str(value)))
        screen.out().print(text, soft_wrap=True)


def _checkup_data(found: Checkup) -> dict[str, Any]:
    return {
        "diagnostics": [wire.to_data(d) for d in found.diagnostics],
        "connections": [
            {
                "connection": finished.step.partition(".")[2],
                "status": finished.status,
                "facts": dict(finished.facts),
                "diagnostics": [wire.to_data(d) for d in finished.diagnostics],
            }
            for finished in found.result.steps
        ],
    }
