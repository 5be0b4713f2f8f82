"""Relations that this environment lacks, read from the warehouse of another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from osiris_sql.types.observed import Deferred, Observed
from osiris_sql.types.plan import Check, Extract, Materialize, Plan, Preview, Step


def defer(plan: Plan, observed: Observed) -> Plan:
    """Return the plan that reads from the observed other warehouse what it neither builds nor finds here.

    A view over such a relation is held as a table: nobody could read it later, without that warehouse.
    """
    elsewhere = observed.elsewhere
    if elsewhere is None:
        return plan
    here = observed.state.keys() | {
        step.node for step in plan.steps if isinstance(step, Extract | Materialize)
    }
    lacking = {node: str(s.data) for node, s in elsewhere.state.items() if s.data and node not in here}
    anything = any(isinstance(step, Preview) for step in plan.steps)
    read = lacking.keys() if anything else {n for s in plan.steps for n in _reads(s)} & lacking.keys()
    nodes = {node: lacking[node] for node in sorted(read)}
    deferred = Deferred(env=elsewhere.env, warehouse=elsewhere.warehouse, nodes=nodes)
    return replace(plan, deferred=deferred, steps=tuple(_held(step, deferred) for step in plan.steps))


def _reads(step: Step) -> Iterator[str]:
    if isinstance(step, Materialize):
        yield from step.inputs
    if isinstance(step, Extract | Materialize | Check):
        for test in step.tests:
            yield from test.reads


def _held(step: Step, deferred: Deferred) -> Step:
    if not isinstance(step, Materialize):
        return step
    read = [node.partition(":")[2] for node in step.inputs if node in deferred.nodes]
    if not read:
        return step
    why = f"{step.why}; reads {', '.join(read)} of {deferred.env}"
    return replace(step, why=why, materialized="table" if step.materialized == "view" else step.materialized)
