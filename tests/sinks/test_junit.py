"""JUnit XML: what a CI server shows of a run."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from run.plans import data_test, model, plan_of

from osiris_sql.run.execute import execute
from osiris_sql.sinks.junit import JUnit
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import UnitTestResult

PLACE = Location(path="models/models.yml", line=8)


def written(tmp_path: Path, *steps, units: tuple[UnitTestResult, ...] = ()) -> dict[str, ElementTree.Element]:
    """Run a plan and return the cases of the file by name."""
    plan, path = plan_of(*steps), tmp_path / "out" / "tests.xml"
    sink = JUnit(path, plan, units)
    execute(plan, tmp_path, {}, [sink], run_id="r1", launcher="local")
    sink.close()
    sink.close()
    root = ElementTree.parse(path).getroot()
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == sum(c.find("failure") is not None for c in cases)
        assert int(suite.attrib["skipped"]) == sum(c.find("skipped") is not None for c in cases)
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def test_each_test_is_a_case_with_its_place(tmp_path: Path) -> None:
    tests = (
        data_test("good", "a", "FROM a WHERE id > 1"),
        data_test("bad", "a", "FROM a"),
        data_test("meh", "a", "SELECT id AS n FROM a", severity="warn"),
    )
    below = model("b", "FROM a", inputs=("a",), tests=(data_test("later", "b", "FROM b"),))
    cases = written(tmp_path, model("a", "SELECT 1 AS id", tests=tests), below)
    assert list(cases) == ["good", "bad", "meh", "later"]
    assert cases["good"].attrib["file"] == "models/models.yml"
    assert cases["good"].attrib["line"] == "3"
    assert len(cases["good"]) == 0
    failure = cases["bad"].find("failure")
    assert failure is not None
    assert "id=1" in (failure.text or "")
    assert "tests/bad.sql" in (failure.text or "")
    assert "warning: 1 offending row\n" in cases["meh"].findtext("system-out", "")
    assert cases["later"].find("skipped") is not None


def test_a_step_that_broke_is_an_error(tmp_path: Path) -> None:
    cases = written(tmp_path, model("a", "SELECT error('no \x01 way') AS id"))
    error = cases["a"].find("error")
    assert error is not None
    assert "no \ufffd way" in (error.text or "")


def test_unit_tests_are_cases_too(tmp_path: Path) -> None:
    def unit(name: str, status, diff: str = "") -> UnitTestResult:
        return UnitTestResult(name=name, model="a", status=status, diff=diff, location=PLACE)

    units = (unit("good", "pass"), unit("bad", "fail", "~ 1 <2>"), unit("broken", "error", "no such column"))
    cases = written(tmp_path, units=units)
    assert len(cases["good"]) == 0
    assert "~ 1 <2>" in cases["bad"].findtext("failure", "")
    assert "no such column" in cases["broken"].findtext("error", "")
