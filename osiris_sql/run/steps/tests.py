"""Runs the data tests of a relation, inside the transaction that made it."""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from osiris_sql.protocols import TestOutcome, Transaction
from osiris_sql.run.failed_tests import compiled_path
from osiris_sql.run.steps.failures import forget_failures, store_failures
from osiris_sql.run.steps.running import Asked, Running
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Diagnostic, StepError, UnaskedError
from osiris_sql.types.event import StepFinished, TestFinished, TestStatus
from osiris_sql.types.manifest import Proof
from osiris_sql.types.plan import PlannedTest, Step
from osiris_sql.types.relation import RelationRef

SAMPLE = 5

_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_THRESHOLD = re.compile(r"^\s*(==|=|!=|<>|>=|<=|>|<)\s*(\d+)\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a scan said of a test: its offending rows, None if only its query can tell, and its share of
    the time."""

    failures: int | None = None
    seconds: float = 0.0


UNMEASURED = Measured()
MOST_BROKEN = 3
_UNHEARD = Diagnostic(
    rule="tests-not-asked",
    message="the data tests behind these were not asked",
    why="each test that can't be asked costs another build of its table",
    fix="correct these first",
)
NO_ROWS = TestOutcome(failures=0, sample=())


class ChecksFailedError(StepError):
    """A data test of severity error failed: what was written is rolled back."""


def run_tests(
    running: Running,
    transaction: Transaction,
    step: str,
    tests: Iterable[PlannedTest],
    passed: Mapping[str, str],
) -> dict[str, str]:
    """Run the tests that have not passed on exactly these rows; return what has passed now.

    Keys are test fingerprints, values say which rows they passed on. All tests run before
    ChecksFailedError is raised, so that one run shows every failure.
    """
    asked = running.asked[step]
    everything = [(test, rows_read(running, test)) for test in tests]
    due = []
    for test, rows in everything:
        if test.name in asked.told:
            continue
        if spared := _spared(running, step, test, same_rows=passed.get(test.fingerprint) == rows):
            asked.told[test.name] = spared.status
            running.emit(spared)
        else:
            due.append(test)
    measured = {} if asked.alone else measure(running, transaction, step, due)
    for place, test in enumerate(due, start=1):
        asked.behind = len(due) - place
        _run_one(running, transaction, step, test, measured.get(test, UNMEASURED))
    failed = [test for test, _ in everything if asked.told[test.name] in ("fail", "error")]
    if failed:
        raise ChecksFailedError(*(asked.broken.get(test.name) or why_failed(test) for test in failed))
    return {test.fingerprint: rows for test, rows in everything if asked.told[test.name] != "warn"}


def until_asked(running: Running, step: Step, attempt: Callable[[], StepFinished]) -> StepFinished:
    """Return what a step came to, after as many attempts as it takes to ask its data tests.

    A query that fails ends the transaction, and the tests behind it would not be heard. Each attempt builds
    anew, so of many such tests only the first are told; raises ChecksFailedError then.
    """
    asked = running.asked[step.id] = Asked()
    while True:
        try:
            return attempt()
        except UnaskedError:
            # Since then one more test is told, or none is asked in one scan with others.
            if asked.behind and len(asked.broken) >= MOST_BROKEN and step.kind != "check":
                raise ChecksFailedError(*asked.broken.values(), _UNHEARD) from None


def _spared(running: Running, step: str, test: PlannedTest, *, same_rows: bool) -> TestFinished | None:
    """Return how a test ended that need not run: no row can offend, or it passed on the `same_rows`."""
    proof = test.proof if test.proof and judge(test, NO_ROWS) == "pass" else None
    if proof and holds(running, step, proof):
        return TestFinished(step=step, test=test.name, status="proved", why=proof.why)
    return TestFinished(step=step, test=test.name, status="reused") if same_rows else None


def holds(running: Running, step: str, proof: Proof) -> bool:
    """Say whether a model's relation was made by the SQL that a proof speaks of: by this step, or before."""
    mine = running.models.get(step)
    if mine is not None and mine.node == proof.node:
        return mine.fingerprint == proof.fingerprint
    made = running.state.get(proof.node)
    return made is not None and made.fingerprint == proof.fingerprint


def rows_read(running: Running, test: PlannedTest) -> str:
    """Return the identity of all rows that a test reads, and of the clock if it reads that."""
    clock = {"run_clock": running.plan.run_clock} if "$run_clock" in test.sql else {}
    return wire.dump_canonical({node: running.data.get(node) for node in test.reads} | clock)


def measure(
    running: Running, transaction: Transaction, step: str, tests: Iterable[PlannedTest]
) -> dict[PlannedTest, Measured]:
    """Return what one scan of each relation says of the tests that can be told together."""
    together: dict[RelationRef, list[PlannedTest]] = {}
    for test in tests:
        if test.relation and test.measure:
            together.setdefault(test.relation, []).append(test)
    found: dict[PlannedTest, Measured] = {}
    for relation, own in together.items():
        began = time.monotonic()
        try:
            values = transaction.measure_tests(relation, own, running.plan.run_clock)
        except UnaskedError:
            running.asked[step].alone = True
            raise
        each = (time.monotonic() - began) / len(own)
        for test, value in zip(own, values, strict=True):
            # Any other shape says whether there are offending rows, not how many.
            exact = value if test.shape == "rows" or not value else None
            found[test] = Measured(failures=exact, seconds=each)
    return found


def _run_one(
    running: Running, transaction: Transaction, step: str, test: PlannedTest, measured: Measured
) -> None:
    began, asked = time.monotonic(), running.asked[step]
    try:
        outcome = transaction.run_test(test, running.plan.run_clock, SAMPLE, counted=measured.failures)
    except UnaskedError as error:
        asked.told[test.name] = "error"
        [asked.broken[test.name]] = error.diagnostics
        running.emit(_broken(step, test, asked.broken[test.name]))
        raise
    stored = ""
    if test.store_failures:
        if outcome.failures:
            stored = store_failures(running, transaction, test)
        else:
            forget_failures(running, transaction, test)
    seconds = time.monotonic() - began + measured.seconds
    asked.told[test.name] = tell(running, step, test, outcome, seconds, stored)


def _broken(step: str, test: PlannedTest, said: Diagnostic) -> TestFinished:
    return TestFinished(
        step=step,
        test=test.name,
        status="error",
        why=said.why,
        compiled=compiled_path(test.name),
        diagnostics=(said,),
    )


def tell(
    running: Running, step: str, test: PlannedTest, outcome: TestOutcome, seconds: float, stored: str = ""
) -> TestStatus:
    """Emit what a test found and return what that means."""
    status = judge(test, outcome)
    running.emit(
        TestFinished(
            step=step,
            test=test.name,
            status=status,
            failures=outcome.failures,
            sample=outcome.sample,
            compiled="" if status == "pass" else compiled_path(test.name),
            stored=stored,
            diagnostics=() if status == "pass" else (_finding(test, outcome, status),),
            seconds=round(seconds, 3),
        )
    )
    return status


def judge(test: PlannedTest, outcome: TestOutcome) -> TestStatus:
    """Return what a count of offending rows means; `error_if` counts only at severity error.

    A strict test fails where it would warn.
    """
    if test.severity == "error" and _exceeds(test.error_if, outcome.failures):
        return "fail"
    if not _exceeds(test.warn_if, outcome.failures):
        return "pass"
    return "fail" if test.strict else "warn"


def _exceeds(threshold: str, failures: int) -> bool:
    matched = _THRESHOLD.match(threshold)
    if matched is None:
        raise StepError(Diagnostic(rule="bad-threshold", message=f'"{threshold}" is no threshold'))
    return _COMPARE[matched[1]](failures, int(matched[2]))


def _finding(test: PlannedTest, outcome: TestOutcome, status: TestStatus) -> Diagnostic:
    rows = "row" if outcome.failures == 1 else "rows"
    return Diagnostic(
        rule=test.test,
        severity="warning" if status == "warn" else "error",
        message=f"{test.name}: {outcome.failures} offending {rows}",
        location=test.location,
        why=f"on {test.node.partition(':')[2]}" + (f", column {test.column}" if test.column else ""),
    )


def why_failed(test: PlannedTest) -> Diagnostic:
    """Return what a failed test means for what was to be built."""
    return Diagnostic(
        rule="test-failed",
        message=f"the data test {test.name} failed",
        location=test.location,
        why="the rows before this run are kept, and nothing below is built or published",
    )
