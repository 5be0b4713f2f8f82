"""A plan whose data tests fail where they would only warn."""

from __future__ import annotations

from dataclasses import replace

from osiris_sql.types.plan import Check, Extract, Materialize, Plan, PlannedTest, Step


def make_strict(plan: Plan) -> Plan:
    """Return the plan with every warning of a data test made a failure."""
    return replace(plan, steps=tuple(_strict_step(step) for step in plan.steps))


def _strict_step(step: Step) -> Step:
    if not isinstance(step, Extract | Materialize | Check):
        return step
    return replace(step, tests=tuple(_strict_test(test) for test in step.tests))


def _strict_test(test: PlannedTest) -> PlannedTest:
    return replace(test, strict=True)
