"""Parcels of a warehouse: what is carried to another machine, and what comes back from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from osiris_sql.protocols import Engine
from osiris_sql.run.fit import digest_state, refuse_misfit, refuse_moved
from osiris_sql.run.steps.failures import SCHEMA as FAILURES
from osiris_sql.support.dag import sort_nodes
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Check, Extract, Materialize, Plan, PlannedTest
from osiris_sql.types.relation import RelationRef


def relation_of(node: str) -> RelationRef | None:
    """Return the relation of a model, a seed or a source table; None of any other node."""
    kind, _, name = node.partition(":")
    if kind in ("model", "seed"):
        return RelationRef("main", name)
    return RelationRef(*name.split(".", 1)) if kind == "source" else None


def look_at(warehouse: Path, engine: str) -> tuple[dict[str, StepState], dict[str, int]]:
    """Return what a warehouse remembers, and about how many bytes each node's relation takes."""
    opened = _open(warehouse, engine)
    try:
        state = opened.read_state()
        relations = {relation: node for node in state if (relation := relation_of(node))}
        return state, {relations[found]: size for found, size in opened.stored_bytes(relations).items()}
    finally:
        opened.close()


def write_parcel(plan: Plan, root: Path, path: Path) -> bool:
    """Write the relations that a plan carries, and every state, as a warehouse of its own.

    Return False, with nothing written, if nothing is remembered. Raises ProjectError if the warehouse is
    not in the state that the plan was made for.
    """
    opened = _open(root / plan.warehouse, plan.engine)
    try:
        state = opened.read_state()
        refuse_misfit(plan, state)
        if state:
            carried = _in_build_order(plan.carried, state)
            opened.write_parcel(path, carried, state.values(), _read_by_views(plan, state))
        return bool(state)
    finally:
        opened.close()


def write_deferred(plan: Plan, root: Path, path: Path) -> None:
    """Write what a plan reads of another environment's warehouse as a warehouse of its own; a view as its
    rows. Raises ProjectError if other rows are there than the plan was made for."""
    if plan.deferred is None:
        return
    engine: Engine = load_plugin("engines", plan.engine)(path, plan.engine_settings, read_only=False)
    try:
        state = engine.defer(root / plan.deferred.warehouse)
        refuse_moved(plan.deferred, state)
        with engine.transaction() as transaction:
            for node in plan.deferred.nodes:
                if relation := relation_of(node):
                    # The name is found there, since nothing is here yet.
                    transaction.replace_table(relation, f"FROM {relation.sql}", plan.run_clock)
                    transaction.write_state(state[node])
    finally:
        engine.close()


def write_built(plan: Plan, root: Path, before: Mapping[str, StepState], path: Path) -> None:
    """Write what a run changed: the states that are not as they were `before`, and their relations."""
    opened = _open(root / plan.warehouse, plan.engine)
    try:
        now = opened.read_state()
        changed = {node: known for node, known in now.items() if before.get(node) != known}
        kept = [RelationRef(FAILURES, test.name) for test in _storing(plan)]
        opened.write_parcel(path, [*_in_build_order(changed, now), *kept], changed.values())
    finally:
        opened.close()


def refuse_moved_on(plan: Plan, root: Path, path: Path) -> None:
    """Raise StepError if the warehouse changed since the plan was made: what comes back would undo that.

    A client that was killed may have taken over this very parcel already.
    """
    now, built = _read_state(root / plan.warehouse, plan.engine), _read_state(path, plan.engine)
    if plan.state is not None and plan.state != digest_state(now) and not built.items() <= now.items():
        raise StepError(
            Diagnostic(
                rule="changed-meanwhile",
                message="the warehouse changed here while the sandbox worked on a copy",
                why="taking over what was built there would lose that change",
                fix="what was built is in built.duckdb of this run's folder; or build again",
            )
        )


def take_built(plan: Plan, root: Path, path: Path) -> None:
    """Take over what a run built elsewhere, in one transaction: all of it or nothing."""
    engine: Engine = load_plugin("engines", plan.engine)(
        root / plan.warehouse, plan.engine_settings, read_only=False
    )
    try:
        with engine.transaction() as transaction:
            transaction.take_parcel(path)
    finally:
        engine.close()


def _read_state(warehouse: Path, engine: str) -> dict[str, StepState]:
    if not warehouse.exists():
        return {}
    opened = _open(warehouse, engine)
    try:
        return opened.read_state()
    finally:
        opened.close()


def _open(warehouse: Path, engine: str) -> Engine:
    opened: Engine = load_plugin("engines", engine)(warehouse, {}, read_only=True)
    return opened


def _in_build_order(nodes: Iterable[str], state: Mapping[str, StepState]) -> list[RelationRef]:
    wanted = set(nodes)
    inputs = {node: {n for n in state[node].inputs if n in wanted} for node in wanted}
    return [relation for node in sort_nodes(inputs) if (relation := relation_of(node))]


def _read_by_views(plan: Plan, state: Mapping[str, StepState]) -> list[RelationRef]:
    """What a carried view reads and will be made there: until then the view needs its columns."""
    views = [node for node in plan.carried if state[node].materialized == "view"]
    nodes = {read for node in views for read in state[node].inputs} - plan.carried.keys()
    return [relation for node in sorted(nodes) if (relation := relation_of(node))]


def _storing(plan: Plan) -> Iterable[PlannedTest]:
    for step in plan.steps:
        if isinstance(step, Extract | Materialize | Check):
            yield from (test for test in step.tests if test.store_failures)
