"""Data tests in a run: what they leave behind, and when a warning stops it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from run.plans import CLOCK, data_test, model, plan_of, rows, run, statuses

from osiris_sql.plan.strict import make_strict
from osiris_sql.run.failed_tests import compiled_path, write_compiled
from osiris_sql.types.manifest import Proof
from osiris_sql.types.plan import Check
from osiris_sql.types.relation import RelationRef


def fused(name: str, on: str, offends: str, **more):
    """A data test of shape `rows` that can run in one scan with others."""
    sql = f"SELECT * FROM {on} WHERE {offends}"
    relation = RelationRef("main", on)
    measure = f"count(*) FILTER (WHERE {offends})"
    return data_test(name, on, sql, shape="rows", measure=measure, relation=relation, **more)


def test_each_fused_test_has_its_own_count_severity_and_sample(tmp_path: Path) -> None:
    tests = (
        fused("none", "a", "id > 9"),
        fused("some", "a", "id > 1", severity="warn"),
        fused("many", "a", "id > 0", error_if="> 2", warn_if="> 1"),
        fused("few", "a", "id > 0", limit=1, error_if="> 1", warn_if="> 1"),
        data_test("query", "a", "SELECT id FROM a WHERE id = 3"),
    )
    result = run(
        plan_of(model("a", "SELECT * FROM range(1, 4) t(id)", columns="id BIGINT", tests=tests)), tmp_path
    )
    found = {t.test: (t.status, t.failures, [row["id"] for row in t.sample]) for t in result.tests}
    assert found == {
        "none": ("pass", 0, []),
        "some": ("warn", 2, ["2", "3"]),
        "many": ("fail", 3, ["1", "2", "3"]),
        "few": ("pass", 1, ["1"]),
        "query": ("fail", 1, ["3"]),
    }
    assert statuses(result) == {"a": "failed"}


def test_a_sample_shows_values_as_duckdb_writes_them(tmp_path: Path) -> None:
    values = (
        "INTERVAL 1 month AS i, DATE 'infinity' AS d, 0.1::FLOAT AS f, [NULL, 1] AS l, '\\x00'::BLOB AS b"
    )
    columns = "i INTERVAL, d DATE, f FLOAT, l INTEGER[], b BLOB"
    made = model("a", f"SELECT {values}", columns=columns, tests=(data_test("bad", "a", "FROM a"),))
    result = run(plan_of(made), tmp_path)
    assert result.tests[0].sample == (
        {"i": "1 month", "d": "infinity", "f": "0.1", "l": "[NULL, 1]", "b": "\\x00"},
    )


def test_a_test_that_can_not_be_asked_hides_no_other(tmp_path: Path) -> None:
    tests = (
        fused("one", "a", "id = 1"),
        fused("no number", "a", "CAST(word AS INTEGER) > 0", severity="warn"),
        data_test("no number either", "a", "SELECT id FROM a WHERE CAST(word AS INTEGER) > 0"),
        fused("meh", "a", "id > 0", severity="warn"),
        data_test("query", "a", "SELECT id FROM a WHERE id = 3"),
        fused("none", "a", "id > 9"),
    )
    words = "SELECT id, 'x' AS word FROM range(1, 4) t(id)"
    plan = plan_of(model("a", words, columns="id BIGINT, word VARCHAR", tests=tests))
    result = run(plan, tmp_path)
    assert [(t.test, t.status, t.failures) for t in result.tests] == [
        ("one", "fail", 1),
        ("no number", "error", None),
        ("no number either", "error", None),
        ("meh", "warn", 3),
        ("query", "fail", 1),
        ("none", "pass", 0),
    ]
    assert (statuses(result), result.exit_code) == ({"a": "failed"}, 1)
    assert [d.rule for d in result.steps[0].diagnostics] == [
        *("test-failed", "test-error", "test-error", "test-failed")
    ]
    assert "Could not convert string 'x'" in result.tests[1].why


@pytest.mark.parametrize(("declared", "told", "said"), [(3, 3, []), (9, 3, ["tests-not-asked"])])
def test_of_many_tests_that_can_not_be_asked_only_the_first_build_anew(
    tmp_path: Path, declared: int, told: int, said: list[str]
) -> None:
    tests = tuple(
        data_test(f"t{number}", "a", "SELECT id FROM a WHERE CAST(word AS INTEGER) > 0")
        for number in range(declared)
    )
    plan = plan_of(
        model("a", "SELECT 1::BIGINT AS id, 'x' AS word", columns="id BIGINT, word VARCHAR", tests=tests)
    )
    result = run(plan, tmp_path)
    assert [(t.test, t.status) for t in result.tests] == [(f"t{number}", "error") for number in range(told)]
    assert (statuses(result), result.exit_code) == ({"a": "failed"}, 1)
    assert [d.rule for d in result.steps[0].diagnostics] == [*["test-error"] * told, *said]


def test_a_strict_plan_fails_where_it_would_warn(tmp_path: Path) -> None:
    plan = plan_of(model("a", "SELECT 1 AS id", tests=(data_test("meh", "a", "FROM a", severity="warn"),)))
    assert run(plan, tmp_path / "lax").exit_code == 0
    strict = run(make_strict(plan), tmp_path / "strict")
    assert strict.exit_code == 1
    assert statuses(strict) == {"a": "failed"}


@pytest.mark.parametrize(("sql", "second"), [("FROM a WHERE false", "reused"), ("FROM a", "success")])
def test_a_check_is_reused_where_no_test_was_asked(tmp_path: Path, sql: str, second: str) -> None:
    test = data_test("meh", "a", sql, severity="warn")
    check = Check(
        id="check.a",
        node="model:a",
        decision="run if inputs change",
        why="test",
        tests=(test,),
        location=test.location,
    )
    found = [run(plan_of(step), tmp_path) for step in (model("a", "SELECT 1 AS id"), check, check)]
    assert [statuses(one) for one in found[1:]] == [{"a": "success"}, {"a": second}]


class TestStoredFailures:
    SQL = "SELECT id, 1::HUGEINT AS big, 'x' AS word FROM a WHERE id > 1"

    def build(self, root: Path, model_sql: str):
        test = data_test("is small", "a", self.SQL, store_failures=True)
        return run(plan_of(model("a", model_sql, tests=(test,))), root)

    def test_stay_though_the_model_is_rolled_back(self, tmp_path: Path) -> None:
        result = self.build(tmp_path, "SELECT unnest([1, 2, 3]) AS id")
        assert result.tests[0].stored == "osiris_failures.is small"
        assert rows(tmp_path, 'osiris_failures."is small"') == [(2, "1", "x"), (3, "1", "x")]
        with pytest.raises(duckdb.CatalogException):
            rows(tmp_path, "a")

    def test_are_replaced_by_the_next_and_dropped_by_a_pass(self, tmp_path: Path) -> None:
        self.build(tmp_path, "SELECT unnest([1, 2, 3]) AS id")
        self.build(tmp_path, "SELECT 7 AS id")
        assert rows(tmp_path, 'osiris_failures."is small"') == [(7, "1", "x")]
        assert self.build(tmp_path, "SELECT 1 AS id").exit_code == 0
        with pytest.raises(duckdb.CatalogException):
            rows(tmp_path, 'osiris_failures."is small"')

    def test_leave_no_file(self, tmp_path: Path) -> None:
        self.build(tmp_path, "SELECT 2 AS id")
        assert not list(tmp_path.rglob("*.parquet"))


def test_the_sql_of_a_failed_test_is_left_in_the_run_folder(tmp_path: Path) -> None:
    bad = data_test("a/b: it's ~late", "a", "FROM a WHERE $run_clock IS NOT NULL")
    good = data_test("good", "a", "FROM a WHERE false")
    plan = plan_of(model("a", "SELECT 1 AS id", tests=(bad, good)))
    result = run(plan, tmp_path)
    write_compiled(tmp_path, plan, result)
    [path] = (tmp_path / "tests").iterdir()
    assert result.tests[0].compiled == compiled_path(bad.name) == f"tests/{path.name}"
    text = path.read_text()
    assert "models/models.yml:3" in text
    assert CLOCK in text
    assert "FROM a WHERE $run_clock" in text


def test_names_that_differ_have_files_that_differ() -> None:
    names = ["a b", "a/b", "a_b", "A b", "a" * 200, "a" * 201]
    assert len({compiled_path(name) for name in names}) == len(names)


class TestProofs:
    """A test that the SQL proves is not run, as long as it is that SQL which made the rows."""

    def plan(self, fingerprint: str):
        proof = Proof(why="one row for each id", node="model:a", fingerprint=fingerprint)
        # It would fail if it were run.
        return model(
            "a", "SELECT 1 AS id", tests=(data_test("key", "a", "FROM a", proof=proof),), fingerprint="f"
        )

    def test_of_this_sql_spares_the_test(self, tmp_path: Path) -> None:
        result = run(plan_of(self.plan("f")), tmp_path)
        assert [(t.status, t.why) for t in result.tests] == [("proved", "one row for each id")]
        assert result.exit_code == 0

    def test_of_other_sql_does_not(self, tmp_path: Path) -> None:
        assert [t.status for t in run(plan_of(self.plan("other")), tmp_path).tests] == ["fail"]

    @pytest.mark.parametrize(("fingerprint", "status"), [("f", "proved"), ("other", "fail")])
    def test_when_only_tests_run_the_built_sql_decides(
        self, tmp_path: Path, fingerprint: str, status: str
    ) -> None:
        built = model("a", "SELECT 1 AS id", fingerprint="f")
        run(plan_of(built), tmp_path)
        [test] = self.plan(fingerprint).tests
        check = Check(id="check.a", node="model:a", why="test", tests=(test,), location=test.location)
        assert [t.status for t in run(plan_of(check, command="test"), tmp_path).tests] == [status]
