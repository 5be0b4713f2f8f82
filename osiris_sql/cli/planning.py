"""From a project to the plan of a build, and the plan on the screen."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from osiris_sql import api
from osiris_sql.cli import screen
from osiris_sql.plan.batches import Backfill
from osiris_sql.plan.past import Past
from osiris_sql.support import wire
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.plan import Plan
from osiris_sql.types.project import Project


def plan_build(
    manifest: Manifest,
    *,
    select: Sequence[str],
    exclude: Sequence[str],
    full_refresh: bool,
    as_of: str | None,
    offline: bool = False,
    warn_error: bool = False,
    past: Past | None = None,
    while_running: bool = False,
    backfill: Backfill | None = None,
    defer_to: str | None = None,
) -> Plan:
    """Return the plan that builds what is selected in the world as it is now."""
    observed = api.observe_world(
        manifest,
        os.environ,
        select=select,
        exclude=exclude,
        offline=offline,
        past=past,
        while_running=while_running,
        defer_to=defer_to,
    )
    return api.make_plan(
        manifest,
        observed,
        select=select,
        exclude=exclude,
        full_refresh=full_refresh,
        as_of=as_of,
        warn_error=warn_error,
        past=past,
        backfill=backfill,
    )


def plan_tests(
    manifest: Manifest,
    *,
    select: Sequence[str],
    exclude: Sequence[str],
    as_of: str | None,
    warn_error: bool = False,
    defer_to: str | None = None,
) -> Plan:
    """Return the plan that runs the selected data tests on what is built."""
    observed = api.observe_world(
        manifest, os.environ, command="test", select=select, exclude=exclude, defer_to=defer_to
    )
    return api.make_plan(
        manifest,
        observed,
        command="test",
        select=select,
        exclude=exclude,
        as_of=as_of,
        warn_error=warn_error,
    )


def plan_show(
    project: Project, model: str, limit: int, as_of: str | None, defer_to: str | None = None
) -> Plan:
    """Return the plan that shows the first rows of a model or source table."""
    node = f"model:{model}"
    only = {node} if any(known.node == node for known in project.models) else None
    manifest = api.compile_project(project, only=only)
    api.refuse_mistakes_in(project, manifest, only)
    observed = api.observe_world(manifest, os.environ, command="show", defer_to=defer_to)
    return api.make_plan(manifest, observed, command="show", show=model, limit=limit, as_of=as_of)


def show_plan(plan: Plan, environ: Mapping[str, str], *, as_json: bool) -> None:
    """Print a plan: as the file that `--out` writes, or as a table for people."""
    if as_json:
        screen.write(wire.to_document(plan))
        return
    from osiris_sql.cli.plan_table import (
        carried_relations,
        leftover_relations,
        needed_names,
        plan_table,
        plan_totals,
    )

    console = screen.out()
    if plan.steps:
        console.print(plan_table(plan))
    for line in (carried_relations(plan), needed_names(plan, environ), leftover_relations(plan)):
        if line:
            console.print(line)
    console.print(plan_totals(plan))
