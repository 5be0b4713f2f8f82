"""The verbs that compile, and run what needs no warehouse."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from osiris_sql import compile as compiler
from osiris_sql.compile.onlooker import MakeOnlooker
from osiris_sql.types.manifest import Manifest, UnitTestResult
from osiris_sql.types.project import Project


def compile_project(
    project: Project,
    *,
    environ: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    look: MakeOnlooker | None = None,
) -> Manifest:
    """Return the project compiled; see `osiris_sql.compile.compile_project`.

    What did not change is read from `.osiris/cache`.
    """
    cache = cache_folder(project)
    return compiler.compile_project(project, environ=environ, cache=cache, only=only, look=look)


def cache_folder(project: Project) -> Path | None:
    """Return where what was compiled and linted is remembered; None for a project that is in no folder."""
    root = Path(project.root)
    return root / ".osiris" / "cache" if root.is_dir() else None


def run_unit_tests(
    project: Project,
    manifest: Manifest,
    *,
    environ: Mapping[str, str] | None = None,
    nodes: Collection[str] | None = None,
) -> tuple[UnitTestResult, ...]:
    """Return how the unit tests ended; see `osiris_sql.compile.unit_tests.run_unit_tests`."""
    # Imported here: what runs none of them need not load sqlglot.
    from osiris_sql.compile import unit_tests

    return unit_tests.run_unit_tests(project, manifest, environ=environ, nodes=nodes)
