"""Looks at the warehouse here for what a sandbox will need of it."""

from __future__ import annotations

from pathlib import Path

from osiris_sql.launchers.e2b import luggage
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.parcel import look_at
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Plan


def prepare_plan(plan: Plan, root: Path) -> Plan:
    """Return the plan with what of the warehouse goes along; raises ProjectError if that can't be."""
    state, sizes = _look(plan, root)
    return luggage.pack_luggage(plan, state, sizes, luggage.CARRY_LIMIT) if state else plan


def sizes_here(plan: Plan, root: Path) -> dict[str, int]:
    """Return the bytes that the relations which a plan makes had when they were last built here."""
    sizes = _look(plan, root)[1]
    return {
        step.node: sizes[step.node] for step in plan.steps if step.decision == "run" and step.node in sizes
    }


def _look(plan: Plan, root: Path) -> tuple[dict[str, StepState], dict[str, int]]:
    warehouse = root / plan.warehouse
    if plan.state is None or not warehouse.exists():
        return {}, {}
    with hold_warehouse(warehouse, "planning"):
        return look_at(warehouse, plan.engine)
