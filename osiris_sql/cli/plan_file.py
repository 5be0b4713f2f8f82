"""Plans as files: `plan --out FILE` writes one, `build --plan FILE` runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.cli.completion import find_root, read_settings
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError

if TYPE_CHECKING:
    from osiris_sql.types.plan import Plan


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan; raises ProjectError if the file can't be written."""
    from osiris_sql.support import wire

    try:
        path.write_text(wire.to_document(plan), encoding="utf-8")
    except OSError as error:
        message = f"{path} can't be written: {error.strerror}"
        raise ProjectError(Diagnostic(rule="unwritable-file", message=message)) from None


def read_plan(path: Path) -> Plan:
    """Return the plan of a file; raises ProjectError if it is none."""
    from osiris_sql.support import wire
    from osiris_sql.types.plan import Plan

    try:
        return wire.from_json(Plan, path.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
    except ValueError as error:
        why = "\n".join(str(error).splitlines()[:4])
    raise ProjectError(
        Diagnostic(
            rule="unreadable-plan",
            message="this is no plan that this version can run",
            location=Location(path=str(path)),
            why=why,
            fix=f"make it again: osiris-sql plan --out {path}",
        )
    )


def refuse_other_project(plan: Plan, root: Path) -> None:
    """Raise ProjectError if the project at `root` is not the one that a plan was made for."""
    here = read_settings(root).get("name", root.name)
    if here != plan.project:
        raise ProjectError(
            Diagnostic(
                rule="another-project",
                message=f"the plan was made for the project {plan.project}, this one is {here}",
                why="it would build in a warehouse that knows nothing of it",
                fix="go to that project, or make a plan here: osiris-sql plan --out plan.json",
            )
        )


def refuse_options(given: Mapping[str, object], by: str = "--plan") -> None:
    """Raise ProjectError if options are given that a plan has already settled."""
    names = [name for name, value in given.items() if value]
    if names:
        raise ProjectError(
            Diagnostic(
                rule="settled-by-plan",
                message=f"{', '.join(names)} can't be used with {by}",
                why="the plan has settled it" if by == "--plan" else "the last build has settled it",
                fix=f"give it to the command that makes the plan: osiris-sql plan {' '.join(names)} ..."
                if by == "--plan"
                else "leave it out, or start a build of its own",
            )
        )


def project_root(folder: Path | None) -> Path:
    """Return the root of the project at or above `folder`, without loading it."""
    root = find_root(folder or Path())
    if root is None:
        raise ProjectError(
            Diagnostic(
                rule="no-project",
                message=f"there is no osiris-sql project in {folder or '.'} or above it",
                why="a plan names its warehouse and files relative to the project",
                fix="go to the project's folder, or name it: --project-dir FOLDER",
            )
        )
    return root
