"""Writes how tests ended as JUnit XML, which CI servers read: unit tests, data tests, and failed steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from osiris_sql.sinks._labels import plural
from osiris_sql.support.visible import visible
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.event import Event, StepFinished, StepProgress, TestFinished
from osiris_sql.types.manifest import UnitTestResult
from osiris_sql.types.plan import Plan, PlannedTest
from osiris_sql.types.result import RunResult, fold_events


class JUnit:
    """Collects a run and writes `path` when it is closed; `plan` is None where nothing ran."""

    def __init__(self, path: Path, plan: Plan | None, units: Sequence[UnitTestResult] = ()) -> None:
        self._path = path
        self._plan = plan
        self._units = units
        self._events: list[Event] = []
        self._written = False

    def emit(self, event: Event) -> None:
        """Take one event."""
        if not isinstance(event.body, StepProgress):
            self._events.append(event)

    def close(self) -> None:
        """Write the file; a second call changes nothing."""
        if self._written:
            return
        self._written = True
        result = fold_events(self._events)
        root = Element("testsuites", name="osiris-sql", time=f"{result.seconds:.3f}")
        _suite(root, "unit tests", [_unit(unit) for unit in self._units])
        _suite(root, "data tests", _data_tests(self._plan, result))
        _suite(root, "steps", [_step(step) for step in result.steps if _is_broken(step)])
        indent(root)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        ElementTree(root).write(self._path, encoding="utf-8", xml_declaration=True)


def _suite(root: Element, name: str, cases: Sequence[Element]) -> None:
    if not cases:
        return
    counts = {kind: str(sum(case.find(kind) is not None for case in cases)) for kind in _OUTCOMES}
    suite = SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=counts["failure"],
        errors=counts["error"],
        skipped=counts["skipped"],
    )
    suite.extend(cases)


_OUTCOMES = ("failure", "error", "skipped")


def _case(suite: str, name: str, place: Location | None, seconds: float = 0.0) -> Element:
    case = Element("testcase", classname=_plain(suite), name=_plain(name), time=f"{seconds:.3f}")
    if place:
        case.set("file", _plain(place.path))
        if place.line:
            case.set("line", str(place.line))
    return case


def _say(case: Element, kind: str, message: str, lines: Iterable[str]) -> Element:
    said = SubElement(case, kind, message=_plain(message))
    said.text = _plain("\n".join(lines)) or None
    return case


def _unit(unit: UnitTestResult) -> Element:
    case = _case(unit.model, unit.name, unit.location)
    if unit.status == "pass":
        return case
    kind, message = ("failure", "the rows differ") if unit.status == "fail" else ("error", "it is broken")
    return _say(case, kind, message, [str(unit.location), unit.diff])


def _data_tests(plan: Plan | None, result: RunResult) -> list[Element]:
    """Return a case for each planned test: one whose step never came to it was skipped."""
    finished = {(test.step, test.test): test for test in result.tests}
    planned = [(s.id, t) for s in (plan.steps if plan else ()) for t in getattr(s, "tests", ())]
    return [_data_test(test, finished.get((step, test.name))) for step, test in planned]


def _data_test(test: PlannedTest, finished: TestFinished | None) -> Element:
    seconds = finished.seconds if finished else 0.0
    case = _case(test.node.partition(":")[2], test.name, test.location, seconds)
    if finished is None:
        return _say(case, "skipped", "its rows were not built", ())
    if finished.status in ("pass", "reused", "proved"):
        if finished.why:
            SubElement(case, "system-out").text = _plain(f"{finished.status} {finished.why}")
        return case
    message = plural(finished.failures or 0, "offending row")
    if finished.status == "warn":
        SubElement(case, "system-out").text = _plain(
            "\n".join([f"warning: {message}", *_details(test, finished)])
        )
        return case
    if finished.status == "error":
        return _say(case, "error", "it could not be asked", [finished.why, *_details(test, finished)])
    return _say(case, "failure", message, _details(test, finished))


def _details(test: PlannedTest, finished: TestFinished) -> Iterator[str]:
    yield str(test.location)
    yield f"warns if {test.warn_if}, fails if {test.error_if}"
    if finished.compiled:
        yield f"SQL: {finished.compiled}, in the run's folder"
    if finished.stored:
        yield f"rows: {finished.stored}"
    for row in finished.sample:
        yield ", ".join(f"{name}={visible(value)}" for name, value in row.items())


def _is_broken(step: StepFinished) -> bool:
    """Say whether a step failed of something else than its data tests, which are told already."""
    return step.status == "failed" and any(
        d.rule not in ("test-failed", "test-error") for d in step.diagnostics
    )


def _step(step: StepFinished) -> Element:
    diagnostics = step.diagnostics
    message = diagnostics[0].message if diagnostics else "failed"
    place = diagnostics[0].location if diagnostics else None
    kind, _, name = step.step.partition(".")
    lines = [part for d in diagnostics for part in (str(d.location or ""), d.message, d.why, d.fix) if part]
    return _say(_case(kind, name, place, step.seconds), "error", message, lines)


def _plain(text: str) -> str:
    """Return a text without the characters that XML can't hold."""
    return "".join(c if c in "\t\n\r" or c.isprintable() or c == " " else "\ufffd" for c in text)


PLUGIN = JUnit
