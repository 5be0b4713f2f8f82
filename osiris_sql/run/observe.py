"""Looks at the world that a plan is made for: warehouse state, source changes, target tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from osiris_sql.protocols import Engine
from osiris_sql.run.connections import Connections, check_environ, hash_endpoint
from osiris_sql.run.fit import digest_state
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.mistakes import placed, raise_all
from osiris_sql.run.probing import probe_tables
from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.diagnostic import OsirisError, UnreachableError
from osiris_sql.types.observed import Observed, ObservedSource, ObservedTarget, StepState
from osiris_sql.types.plan import PlannedConnection, Publish
from osiris_sql.types.project import SourceTable


def observe_world(
    *,
    root: Path,
    warehouse: str,
    connections: Sequence[PlannedConnection],
    sources: Mapping[str, Mapping[str, SourceTable]],
    publications: Sequence[Publish],
    environ: Mapping[str, str],
    engine: str = "duckdb",
    while_running: bool = False,
) -> Observed:
    """Return what was found; `sources` maps a connection to its tables by node.

    `while_running` lets a reader in while a run holds the warehouse: it sees the last commit.
    Every connection is tried before anything is raised, so that one run names all that are down.
    """
    check_environ(connections, environ)
    redactor = Redactor()
    ends = Connections(connections, environ, root, redactor)
    places = {(c.role, c.name): c.location for c in connections}
    failures: list[OsirisError] = []
    found_sources: dict[str, ObservedSource] = {}
    found_targets: dict[str, ObservedTarget] = {}
    endpoints: dict[str, str] = {}
    for name, tables in sorted(sources.items()):
        try:
            source = ends.source(name)
            found_sources.update((found.node, found) for found in probe_tables(source, tables))
            endpoints[f"source {name}"] = hash_endpoint(source.endpoint())
        except OsirisError as error:
            failures.append(placed(error, places["source", name]))
    for step in publications:
        try:
            target = ends.target(step.connection)
            found_targets[step.node] = target.observe(step)
            endpoints[f"target {step.connection}"] = hash_endpoint(target.endpoint())
        except OsirisError as error:
            failures.append(placed(error, places["target", step.connection]))
    ends.close()
    raise_all(failures)
    state = read_state(root / warehouse, engine, while_running=while_running)
    return Observed(
        state=state,
        state_digest=digest_state(state),
        sources=found_sources,
        targets=found_targets,
        endpoints=endpoints,
        engine=engine,
    )


def foresee(connections: Sequence[PlannedConnection]) -> dict[str, str]:
    """Return what can be said of target connections without asking them, by name."""
    plugins = {c.name: (load_plugin("targets", c.type), c.options) for c in connections if c.role == "target"}
    said = {n: plugin.foresee(o) for n, (plugin, o) in plugins.items() if hasattr(plugin, "foresee")}
    return {name: words for name, words in said.items() if words}


def read_state(warehouse: Path, engine: str, *, while_running: bool) -> dict[str, StepState]:
    """Return what a warehouse remembers; nothing of one that does not exist yet."""
    if not warehouse.exists():
        return {}
    plugin: type[Engine] = load_plugin("engines", engine)
    try:
        with hold_warehouse(warehouse, "planning"):
            opened = plugin(warehouse, {}, read_only=True)
            try:
                return opened.read_state()
            finally:
                opened.close()
    except UnreachableError:
        if not while_running:
            raise
        return plugin.read_mirror(warehouse)
