"""Runs a plan with the sinks that the person asked for."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from osiris_sql.cli import screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osiris_sql.protocols import Sink
    from osiris_sql.types.manifest import UnitTestResult
    from osiris_sql.types.plan import Plan
    from osiris_sql.types.result import RunResult


def run_to_the_end(
    plan: Plan,
    root: Path,
    *,
    as_json: bool,
    fail_fast: bool = False,
    on: str = "local",
    junit: Path | None = None,
    units: Sequence[UnitTestResult] = (),
) -> None:
    """Run a plan, shown as it goes, and end the command with its exit code."""
    result = run_shown(plan, root, events=as_json, fail_fast=fail_fast, on=on, junit=junit, units=units)
    raise typer.Exit(result.exit_code or 0)


def ask_sandbox(on: str, *, fetch: bool, detach: bool) -> None:
    """Hand the options of a sandbox to its launcher, which reads variables."""
    for name, given in (("fetch", fetch), ("detach", detach)):
        if given and on != "e2b":
            raise typer.BadParameter(f"--{name} is for --on e2b")
        if given:
            os.environ[f"OSIRIS_E2B_{name.upper()}"] = "1"


def run_shown(
    plan: Plan,
    root: Path,
    *,
    events: bool = False,
    summary: bool = True,
    fail_fast: bool = False,
    on: str = "local",
    junit: Path | None = None,
    units: Sequence[UnitTestResult] = (),
) -> RunResult:
    """Return what a plan did; progress or events were shown meanwhile.

    `junit` is a file for how tests ended, unit tests (`units`) among them.
    """
    from osiris_sql import api
    from osiris_sql.support.plugins import load_plugin

    sink: Sink
    if events:
        sink = load_plugin("sinks", "jsonlines")()
    else:
        console = load_plugin("sinks", "console")
        took = partial(api.step_seconds, root, plan.env)
        sink = console(plan, root, out=screen.out(), err=screen.err(), summary=summary, took=took)
    more: list[Sink] = [load_plugin("sinks", "junit")(junit, plan, units)] if junit else []
    try:
        return api.run_plan(plan, root, os.environ, [sink, *more], launcher=on, fail_fast=fail_fast)
    finally:
        sink.close()
