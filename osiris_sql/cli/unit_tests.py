"""Unit tests before a build: what is wrong is known before anything is read or written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.text import Text

from osiris_sql import api
from osiris_sql.cli import screen
from osiris_sql.cli.unit_test_report import show_unit_tests
from osiris_sql.plan.past import Past
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.manifest import Manifest, UnitTestResult
from osiris_sql.types.project import Project


def run_units(
    project: Project,
    manifest: Manifest,
    *,
    select: Sequence[str],
    exclude: Sequence[str],
    past: Past | None = None,
) -> tuple[UnitTestResult, ...]:
    """Return how the unit tests of the selected models ended."""
    if not project.unit_tests:
        return ()
    chosen = set(api.select_nodes(manifest, select, exclude, past))
    return api.run_unit_tests(project, manifest, nodes=chosen)


def stop_at_failures(units: Sequence[UnitTestResult], *, as_json: bool, junit: Path | None) -> None:
    """Show the unit tests that failed, and end the command with exit code 1 if there are some."""
    wrong = [unit for unit in units if unit.status != "pass"]
    show_unit_tests(units if as_json else wrong, as_json=as_json)
    if not wrong:
        return
    if junit:
        load_plugin("sinks", "junit")(junit, None, units).close()
    screen.err().print(Text(f"{len(wrong)} of {len(units)} unit tests failed: nothing was built", "bold red"))
    raise typer.Exit(1)
