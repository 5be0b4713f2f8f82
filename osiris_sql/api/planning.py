"""The verbs that look at the world and plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from osiris_sql.api.elsewhere import look_elsewhere
from osiris_sql.plan.batches import Backfill
from osiris_sql.plan.connections import planned_connection
from osiris_sql.plan.deferring import defer
from osiris_sql.plan.past import Past
from osiris_sql.plan.planned_tests import real_inputs, tests_by_node
from osiris_sql.plan.planner import finish_plan, make_build_plan, make_check_plan
from osiris_sql.plan.publications import publish_step
from osiris_sql.plan.selection import select_nodes
from osiris_sql.plan.show import preview_steps, probe_steps
from osiris_sql.plan.strict import make_strict
from osiris_sql.run import observe
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import Plan
from osiris_sql.types.project import SourceTable

Command = Literal["build", "test", "show", "doctor"]


def observe_world(
    manifest: Manifest,
    environ: Mapping[str, str],
    *,
    command: Command = "build",
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    offline: bool = False,
    while_running: bool = False,
    past: Past | None = None,
    defer_to: str | None = None,
) -> Observed:
    """Look at what planning must know: warehouse state, and for a build the selected ends.

    `while_running` is for those who only look: a run that holds the warehouse does not stop them.
    `defer_to` is the environment that is asked for what this one lacks.
    """
    nodes = (
        set(select_nodes(manifest, select, exclude, past)) if command == "build" and not offline else set()
    )
    sources: dict[str, dict[str, SourceTable]] = {}
    for source in manifest.sources:
        if source.node in nodes:
            sources.setdefault(source.table.connection, {})[source.node] = source.table
    tests = tests_by_node(manifest, nodes, real_inputs(manifest))
    publications = [
        publish_step(manifest, publication, Observed(), {}, tests.get(publication.node, ()))
        for publication in manifest.publications
        if publication.node in nodes
    ]
    used = {("source", name) for name in sources} | {("target", p.connection) for p in publications}
    seen = observe.observe_world(
        root=Path(manifest.root),
        warehouse=manifest.warehouse,
        connections=[planned_connection(c) for c in manifest.connections if (c.role, c.name) in used],
        sources=sources,
        publications=publications,
        environ=environ,
        while_running=while_running or offline,
    )
    elsewhere = look_elsewhere(manifest, defer_to) if defer_to else None
    foreseen = observe.foresee([planned_connection(c) for c in manifest.connections]) if offline else {}
    return replace(seen, offline=offline, elsewhere=elsewhere, foreseen=foreseen)


def make_plan(
    manifest: Manifest,
    observed: Observed,
    *,
    command: Command = "build",
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    full_refresh: bool = False,
    as_of: str | None = None,
    now: datetime | None = None,
    show: str = "",
    limit: int = 20,
    warn_error: bool = False,
    past: Past | None = None,
    backfill: Backfill | None = None,
) -> Plan:
    """Return the plan of a command; the run clock is `as_of`, else `now`, to the second.

    With `warn_error` a data test fails where it would warn; `backfill` is the event time that microbatch
    models build again.
    """
    clock = read_run_clock(as_of, now)
    match command:
        case "show":
            shown = finish_plan(manifest, observed, command, preview_steps(manifest, show, limit), clock)
            return defer(shown, observed)
        case "doctor":
            return finish_plan(manifest, observed, command, probe_steps(manifest), clock)
    nodes = select_nodes(manifest, select, exclude, past)
    if command == "test":
        plan = make_check_plan(manifest, observed, selected=nodes, run_clock=clock)
    else:
        plan = make_build_plan(
            manifest,
            observed,
            selected=nodes,
            run_clock=clock,
            full_refresh=full_refresh,
            backfill=backfill,
        )
    plan = defer(plan, observed)
    return make_strict(plan) if warn_error else plan


def read_run_clock(as_of: str | None, now: datetime | None = None) -> datetime:
    """Return the instant that `as_of` says, else `now`, else the machine's, to the second; raises
    ProjectError if it is no instant."""
    if as_of is None:
        return (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    try:
        asked = datetime.fromisoformat(as_of)
    except ValueError:
        raise ProjectError(
            Diagnostic(
                rule="bad-instant",
                message=f'"{as_of}" is no instant',
                fix="such as 2026-01-31 or 2026-01-31T12:00:00+00:00",
            )
        ) from None
    return (asked if asked.tzinfo else asked.replace(tzinfo=UTC)).astimezone(UTC)
