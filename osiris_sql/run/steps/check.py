"""Runs data tests on what is already built."""

from __future__ import annotations

from dataclasses import replace

from osiris_sql.run.steps.arrived import asking, run_arrived
from osiris_sql.run.steps.running import Running
from osiris_sql.run.steps.tests import run_tests
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Check


def run_check(running: Running, step: Check) -> StepFinished:
    """Return that the tests passed; every one runs, since somebody asked. Raises ChecksFailedError."""
    if step.connection:
        run_arrived(running, step.id, step.tests, asking(running, step.connection))
        return StepFinished(step=step.id, status="success", why=step.why)
    absent = sorted({n for test in step.tests for n in test.reads if n not in running.data})
    if absent:
        names = ", ".join(node.partition(":")[2] for node in absent)
        raise StepError(
            Diagnostic(
                rule="input-not-built",
                message=f"{names} is not in the warehouse",
                location=step.location,
                fix="run `osiris-sql build` first",
            )
        )
    with running.engine.transaction() as transaction:
        passed = run_tests(running, transaction, step.id, step.tests, {})
        before = running.state.get(step.node)
        after = before and replace(before, passed={**before.passed, **passed})
        if after:
            transaction.write_state(after)
    if after:
        running.state[step.node] = after
    return StepFinished(step=step.id, status="success", why=step.why)
