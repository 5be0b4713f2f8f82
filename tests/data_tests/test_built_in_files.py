"""Each file in `osiris_sql/data_tests` is tried on the rows that it shows."""

from dataclasses import dataclass
from typing import Any

import pytest
from data_tests.tested_project import Tried, generic, open_database, try_tests, with_clock

from osiris_sql.compile.data_tests.built_in import BuiltIn, Example, built_in_names, load_built_in

NAMES = sorted(set(built_in_names().values()))
ARGUMENT_TYPES = {
    *("column", "columns", "values", "relation", "name", "sql", "text", "number", "boolean", "choice"),
    "datepart",
}


@dataclass(frozen=True)
class Case:
    test: str
    example: Example
    offends: bool

    def __str__(self) -> str:
        return f"{self.test} {'bad' if self.offends else 'good'}: {self.example.rows[:60]}"


CASES = [
    Case(name, example, offends)
    for name in NAMES
    for examples, offends in ((load_built_in(name).bad, True), (load_built_in(name).good, False))
    for example in examples
]


def run_example(case: Case, **config: Any) -> Tried:
    """Compile and run a test on its example, whose relation arguments are SELECTs."""
    arguments = dict(case.example.arguments)
    models = {"t": case.example.rows}
    for name, argument in load_built_in(case.test).arguments.items():
        if argument.type == "relation":
            models["other"] = arguments[name]
            arguments[name] = "ref('other')"
    column = arguments.pop("column_name", None)
    return try_tests([generic(case.test, column=column, config=config, **arguments)], models)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bad_rows_offend_and_good_rows_do_not(case: Case) -> None:
    tried = run_example(case)
    assert tried.diagnostics == ()
    assert (tried.count > 0) == case.offends


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_condition_that_keeps_all_rows_changes_nothing(case: Case) -> None:
    """`where` wraps the relation in a query: every file must still be right on that."""
    tried = run_example(case, where="1 = 1 -- all")
    assert tried.diagnostics == ()
    assert (tried.count > 0) == case.offends


@pytest.mark.parametrize("case", [c for c in CASES if c.offends], ids=str)
def test_a_condition_that_keeps_no_row_is_like_an_empty_table(case: Case) -> None:
    empty = Case(case.test, Example(f"FROM ({case.example.rows}) LIMIT 0", case.example.arguments), True)
    assert run_example(case, where="false").count == run_example(empty).count


@pytest.mark.parametrize("name", NAMES)
class TestHeader:
    def test_says_what_it_is_for(self, name: str) -> None:
        built_in = load_built_in(name)
        assert built_in.description.endswith(".")
        assert {argument.type for argument in built_in.arguments.values()} <= ARGUMENT_TYPES
        assert set(built_in.any_of) <= built_in.arguments.keys()
        assert all(a.about or a.type == "column" for a in built_in.arguments.values())

    def test_shows_an_empty_table_and_a_null(self, name: str) -> None:
        examples = [*load_built_in(name).bad, *load_built_in(name).good]
        assert any(is_empty(example) for example in examples)
        assert any("NULL" in example.rows for example in examples) or name == "column_type"

    def test_uses_every_argument_in_an_example(self, name: str) -> None:
        built_in = load_built_in(name)
        assert unused_arguments(built_in) <= {"quote_columns"}


def is_empty(example: Example) -> bool:
    connection = open_database()
    try:
        return not connection.execute(f"SELECT 1 FROM ({with_clock(example.rows)}) LIMIT 1").fetchall()
    finally:
        connection.close()


def unused_arguments(built_in: BuiltIn) -> set[str]:
    used = {name for example in (*built_in.bad, *built_in.good) for name in example.arguments}
    return built_in.arguments.keys() - used


def test_the_folder_is_the_registry() -> None:
    assert {"unique", "not_null", "accepted_values", "relationships"} <= set(NAMES)
    assert built_in_names()["expect_column_values_to_match_regex"] == "matches_regex"
