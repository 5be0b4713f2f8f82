"""What of the warehouse a plan needs on another machine: carried, left here, or built again there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Check, Extract, Materialize, Plan, Preview, Publish, Step

# What a run may carry of the warehouse.
CARRY_LIMIT = 1 << 30
State = Mapping[str, StepState]


def pack_luggage(plan: Plan, state: State, sizes: Mapping[str, int], limit: int) -> Plan:
    """Return the plan with what is carried and what is left; `sizes` are bytes by node.

    What does not fit into the limit is built again there, the biggest first. Raises ProjectError if that
    is not possible: it is no step of this plan, or has rows that can't be read again.
    """
    if plan.carried or plan.left:
        return plan
    again: frozenset[str] = frozenset()
    while True:
        made = again | {step.node for step in plan.steps if _is_made_anew(step, state)}
        carried = {node: sizes[node] for node in sorted(_needed(plan, state, made)) if node in sizes}
        if sum(carried.values()) <= limit:
            break
        biggest = _choose_biggest(plan, carried, limit)
        plan, again = _rebuild(plan, biggest, carried[biggest]), again | {biggest}
    left = [
        step.node
        for step in plan.steps
        if isinstance(step, Extract | Materialize) and step.node in state and step.node not in made
    ]
    return replace(plan, carried=carried, left=tuple(sorted(set(left) - carried.keys())))


def _needed(plan: Plan, state: State, made: Set[str]) -> set[str]:
    """The nodes whose rows a step may read; those that are `made` there come before anybody reads them."""
    needed: set[str] = set()
    waiting = [node for step in plan.steps for node in _reads(step, plan, state)]
    while waiting:
        node = waiting.pop()
        if node in state and node not in needed | made:
            needed.add(node)
            if state[node].materialized == "view":
                waiting += state[node].inputs
    return needed


def _reads(step: Step, plan: Plan, state: State) -> Iterable[str]:
    """What a step may read; a reused one reads only for data tests that have not passed on these rows."""
    runs = step.decision != "reuse"
    match step:
        case Materialize() if runs:
            yield from step.inputs
            if _keeps_rows(step):
                yield step.node
        case Extract() if runs and step.mode == "incremental":
            yield step.node
        case Publish() if runs:
            yield step.input
        case Preview():
            yield from state
        case _:
            pass
    if isinstance(step, Extract | Materialize | Check):
        yield from _tested(step, plan, state)


def _tested(step: Extract | Materialize | Check, plan: Plan, state: State) -> Iterable[str]:
    known = state.get(step.node)
    asked_for = isinstance(step, Check) and step.decision == "run"
    passed = known.passed if known and not asked_for else {}
    running = {other.node for other in plan.steps if other.decision != "reuse"}
    for test in step.tests:
        rows = {node: str(state[node].data) if node in state else None for node in test.reads}
        if running & set(test.reads) or passed.get(test.fingerprint) != wire.dump_canonical(rows):
            yield from test.reads


def _keeps_rows(step: Materialize) -> bool:
    """Whether a model builds on the rows that it has."""
    return step.materialized not in ("view", "table") and not step.full_refresh


def _is_made_anew(step: Step, state: State) -> bool:
    """Whether it is certain that a step replaces all its rows."""
    known = state.get(step.node)
    if step.decision != "run" or known is None:
        return step.decision == "run"
    if isinstance(step, Materialize):
        return not _keeps_rows(step)
    if not isinstance(step, Extract) or step.mode != "full":
        return False
    return step.change is None or step.change != known.change


def _choose_biggest(plan: Plan, carried: Mapping[str, int], limit: int) -> str:
    able = {step.node for step in plan.steps if _can_be_rebuilt(step)}
    biggest = max((node for node in carried if node in able), key=carried.__getitem__, default=None)
    if biggest is None:
        raise _too_big(carried, limit)
    return biggest


def _rebuild(plan: Plan, again: str, size: int) -> Plan:
    """Let a relation be made again there; what reads it looks whether its rows are still the same."""
    changing = {again}
    steps: list[Step] = []
    for step in plan.steps:
        if step.node == again:
            why = f"too big to carry ({size >> 20} MB): built again there"
            step = replace(step, decision="run", why=why)
        elif step.decision == "reuse" and changing & _inputs(step):
            step = replace(step, decision="run if inputs change", why=f"waits for {_name(again)}")
        if step.decision != "reuse":
            changing.add(step.node)
        steps.append(step)
    return replace(plan, steps=tuple(steps))


def _can_be_rebuilt(step: Step) -> bool:
    if isinstance(step, Extract):
        return step.mode == "full" and step.decision != "run"
    return isinstance(step, Materialize) and step.materialized == "table" and step.decision != "run"


def _inputs(step: Step) -> set[str]:
    if isinstance(step, Materialize):
        return set(step.inputs)
    return {step.input} if isinstance(step, Publish) else set()


def _name(node: str) -> str:
    return node.partition(":")[2]


def _too_big(carried: Mapping[str, int], limit: int) -> ProjectError:
    biggest = max(carried, key=carried.__getitem__)
    return ProjectError(
        Diagnostic(
            rule="too-big-to-carry",
            message=f"{sum(carried.values()) >> 20} MB of the warehouse would go into the sandbox",
            why=f"the limit is {limit >> 20} MB; the biggest is {_name(biggest)},"
            f" {carried[biggest] >> 20} MB, and this plan can't build it again there",
            fix=f'select what makes it too (-s "+{_name(biggest)}"), or build on this machine: --on local',
        )
    )
