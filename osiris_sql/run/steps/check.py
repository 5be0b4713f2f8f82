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
    """Return that the tests passed; every one runs if somebody asked, else those that have not passed on
    exactly these rows. Raises ChecksFailedError."""
    if step.connection:
        run_arrived(running, step.id, step.tests, asking(running, step.connection))
        return StepFinished(step=step.id, status="success", why=step.why)
    absent = sorted({n for test in step.tests for n in test.reads if n not in running.data})
    if absent:
        names = ", ".join(node.partition(":")[2] for node in absent)
        raise StepError(
            Diagnostic(
                rule="input-not-built",
                message=f"{names} {'is' if len(absent) == 1 else 'are'} not in the warehouse",
                location=step.location,
                fix="run `osiris-sql build` first",
            )
        )
    before = running.state.get(step.node)
    known = before.passed if before and step.decision != "run" else {}
    with running.engine.transaction() as transaction:
        passed = run_tests(running, transaction, step.id, step.tests, known)
        after = before and replace(before, passed={**before.passed, **passed})
        if after and after != before:
            transaction.write_state(after)
    if after:
        running.state[step.node] = after
    spared = {"reused", "proved"}.issuperset(running.asked[step.id].told.values())
    reused = step.decision != "run" and spared
    return StepFinished(step=step.id, status="reused" if reused else "success", why=step.why)
