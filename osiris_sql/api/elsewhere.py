"""The warehouse of another environment, for a plan that reads there what this one lacks."""

from __future__ import annotations

from pathlib import Path

from osiris_sql.project import load_project
from osiris_sql.run.observe import read_state
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.observed import Elsewhere


def look_elsewhere(manifest: Manifest, env: str) -> Elsewhere:
    """Return what another environment remembers; raises ProjectError if there is nothing to read."""
    root = Path(manifest.root)
    warehouse = load_project(root, env=env).warehouse
    if warehouse == manifest.warehouse or not (root / warehouse).exists():
        raise ProjectError(
            Diagnostic(
                rule="nothing-to-defer-to",
                message=f"nothing can be read from the environment {env}",
                why="it is the one that is built" if warehouse == manifest.warehouse else f"no {warehouse}",
                fix=f"build it first: osiris-sql build --env {env}, or name another one",
            )
        )
    return Elsewhere(
        env=env, warehouse=warehouse, state=read_state(root / warehouse, "duckdb", while_running=True)
    )
