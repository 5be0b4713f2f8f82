"""The verbs of the program: each takes the noun that the one before it made."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from osiris_sql.compile import compile_project
from osiris_sql.compile.unit_tests import run_unit_tests
from osiris_sql.lint import lint_project
from osiris_sql.plan.connections import planned_connection
from osiris_sql.plan.planner import finish_plan, make_build_plan, make_check_plan
from osiris_sql.plan.publications import publish_step
from osiris_sql.plan.selection import select_nodes
from osiris_sql.plan.show import preview_steps, probe_steps
from osiris_sql.project import load_project
from osiris_sql.project.lockfile import merge_lock, read_lock, write_lock
from osiris_sql.protocols import Sink
from osiris_sql.run import observe
from osiris_sql.run.card import write_card
from osiris_sql.run.discover import discover_tables
from osiris_sql.support import wire
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.event import Event
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import Plan
from osiris_sql.types.project import Project
from osiris_sql.types.relation import TableSchema
from osiris_sql.types.result import RunResult, fold_events

__all__ = [
    "Command",
    "SourceChange",
    "clean_project",
    "compile_project",
    "discover_sources",
    "lint_project",
    "load_project",
    "make_plan",
    "new_run_id",
    "observe_world",
    "run_plan",
    "run_unit_tests",
    "select_nodes",
]

Command = Literal["build", "test", "show", "doctor"]


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    """What `discover` found new about a source table, against sources.lock; `missing` has no table."""

    node: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    missing: bool = False


def discover_sources(
    project: Project, names: Sequence[str], environ: Mapping[str, str]
) -> list[SourceChange]:
    """Ask the named sources (or all) for their tables' schemas and write sources.lock.

    A table that the source does not have keeps its old entry, and is reported as missing.
    """
    _refuse_unknown_sources(project, names)
    tables = [t for t in project.sources if not names or t.source in names]
    wanted: dict[str, list[str]] = {}
    for table in tables:
        wanted.setdefault(table.connection, []).append(table.identifier)
    used = [c for c in project.connections if c.role == "source" and c.name in wanted]
    root = Path(project.root)
    found = discover_tables([planned_connection(c) for c in used], wanted, environ, root)
    schemas = {(name, table.identifier): table.schema for name, listed in found.items() for table in listed}
    path = root / "sources.lock"
    old = read_lock(path.read_text() if path.exists() else "")
    fresh = {
        table.node: schemas[table.connection, table.identifier]
        for table in tables
        if (table.connection, table.identifier) in schemas
    }
    changes = [_compare(t.node, old.get(project.env, {}).get(t.node), fresh.get(t.node)) for t in tables]
    path.write_text(write_lock(merge_lock(old, project.env, fresh)))
    return changes


def observe_world(
    manifest: Manifest,
    environ: Mapping[str, str],
    *,
    command: Command = "build",
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    offline: bool = False,
    while_running: bool = False,
) -> Observed:
    """Look at what planning must know: warehouse state, and for a build the selected ends.

    `while_running` is for those who only look: a run that holds the warehouse does not stop them.
    """
    nodes = set(select_nodes(manifest, select, exclude)) if command == "build" and not offline else set()
    sources: dict[str, dict[str, str]] = {}
    for source in manifest.sources:
        if source.node in nodes:
            sources.setdefault(source.table.connection, {})[source.node] = source.table.identifier
    publications = [
        publish_step(manifest, publication, Observed(), {})
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
    return replace(seen, offline=offline)


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
) -> Plan:
    """Return the plan of a command; the run clock is `as_of`, else `now`, to the second."""
    clock = _run_clock(as_of, now)
    match command:
        case "show":
            return finish_plan(manifest, observed, command, preview_steps(manifest, show, limit), clock)
        case "doctor":
            return finish_plan(manifest, observed, command, probe_steps(manifest), clock)
    nodes = select_nodes(manifest, select, exclude)
    if command == "test":
        return make_check_plan(manifest, observed, selected=nodes, run_clock=clock)
    return make_build_plan(manifest, observed, selected=nodes, run_clock=clock, full_refresh=full_refresh)


def run_plan(
    plan: Plan,
    root: Path,
    environ: Mapping[str, str] | None = None,
    sinks: Sequence[Sink] = (),
    *,
    launcher: str = "local",
    fail_fast: bool = False,
) -> RunResult:
    """Run a plan and return what it did; the run's folder has everything that was said."""
    run_id = new_run_id(datetime.now(UTC))
    folder = root / ".osiris" / "runs" / run_id
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(wire.to_document(plan))
    collected = _Collected()
    every: list[Sink] = [load_plugin("sinks", "files")(folder), collected, *sinks]
    load_plugin("launchers", launcher)().launch(
        plan, root, run_id, os.environ if environ is None else environ, every, fail_fast=fail_fast
    )
    for sink in every:
        sink.close()
    result = fold_events(collected.events)
    write_card(folder, plan, result)
    return result


def new_run_id(now: datetime) -> str:
    """Return an id for a run: sortable by time, unique without asking anybody."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def clean_project(project: Project, *, warehouse: bool = False) -> list[str]:
    """Remove the runs (and the warehouse, if asked) and return the removed paths."""
    root = Path(project.root)
    file = root / project.warehouse
    doomed = [root / ".osiris" / "runs", file.with_suffix(".spill")]
    if warehouse:
        doomed += [file, Path(f"{file}.wal")]
    removed = []
    for path in doomed:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        else:
            continue
        removed.append(str(path.relative_to(root)))
    return removed


class _Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass


def _run_clock(as_of: str | None, now: datetime | None) -> datetime:
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


def _refuse_unknown_sources(project: Project, names: Sequence[str]) -> None:
    known = sorted({table.source for table in project.sources})
    wrong = tuple(
        Diagnostic(
            rule="unknown-source",
            message=f'there is no source "{name}"',
            why=f"sources.yml has: {', '.join(known)}",
        )
        for name in names
        if name not in known
    )
    if wrong:
        raise ProjectError(*wrong)


def _compare(node: str, old: TableSchema | None, new: TableSchema | None) -> SourceChange:
    if new is None:
        return SourceChange(node=node, missing=True)
    before = {c.name: c.type for c in old.columns} if old else {}
    after = {c.name: c.type for c in new.columns}
    both = before.keys() & after.keys()
    return SourceChange(
        node=node,
        added=tuple(f"{n} {t}" for n, t in after.items() if n not in before),
        removed=tuple(n for n in before if n not in after),
        retyped=tuple(f"{n} {before[n]} → {after[n]}" for n in after if n in both and before[n] != after[n]),
    )
