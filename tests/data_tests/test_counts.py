"""The counts of built-in tests, against the same question answered by Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import isnan
from typing import Any

import duckdb
import pytest
from data_tests.tested_project import count, generic, open_database, try_tests
from hypothesis import given, settings
from hypothesis import strategies as st

NUMBERS = st.one_of(st.none(), st.integers(-3, 3).map(float), st.just(float("nan")), st.just(-0.0))
WORDS = st.one_of(st.none(), st.sampled_from(["", "a", "A", "b", " a", "it's", 'a"b', "ä"]))
ROWS = st.lists(st.tuples(NUMBERS, WORDS), max_size=12)
ACCEPTED = ["a", "it's", "ä"]


def compiled_sql() -> dict[str, str]:
    """Return the SQL of the tests that are compared, by name, on a relation `t(x, word)`."""
    tests = [
        generic("unique", column="x", name="unique"),
        generic("unique", column="word", name="unique words"),
        generic("unique_combination_of_columns", combination_of_columns=["x", "word"], name="unique pairs"),
        generic("not_null", column="x", name="not_null"),
        generic("not_null", column="x", config={"where": "word = 'a'"}, name="not_null where"),
        generic("accepted_values", column="word", values=ACCEPTED, name="accepted_values"),
        generic("accepted_range", column="x", min_value=0, max_value=2, name="accepted_range"),
        generic("not_empty_string", column="word", name="not_empty_string"),
        generic("not_constant", column="word", name="not_constant"),
        generic("at_least_one", column="word", name="at_least_one"),
        generic("relationships", column="word", to="ref('other')", field="word", name="relationships"),
        generic("sequential_values", column="x", name="sequential_values"),
    ]
    rows = "SELECT 1::DOUBLE AS x, 'a' AS word"
    tried = try_tests(tests, {"other": "SELECT * FROM (VALUES ('a'), (NULL)) AS o(word)", "t": rows})
    assert tried.diagnostics == ()
    return {test.name: test.sql for test in tried.tests}


@pytest.fixture(scope="module")
def sql() -> dict[str, str]:
    return compiled_sql()


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    made = open_database()
    made.execute("CREATE TABLE other AS SELECT * FROM (VALUES ('a'), (NULL)) AS o(word)")
    yield made
    made.close()


def repeated(values: list[Any]) -> int:
    """Return how many values stand in more than one row; NaN is one value."""
    return sum(times > 1 for times in Counter(same(value) for value in values).values())


def same(value: Any) -> Any:
    return "NaN" if isinstance(value, float) and isnan(value) else value


def in_range(x: float) -> bool:
    # DuckDB puts NaN above all numbers.
    return not isnan(x) and 0 <= x <= 2


def gaps(numbers: list[float]) -> int:
    ordered = sorted((n for n in numbers if not isnan(n)), key=lambda n: n + 0.0)
    steps = sum(after != before + 1 for before, after in pairwise(ordered))
    nans = len(numbers) - len(ordered)
    # NaN follows NaN (NaN + 1 is NaN), but nothing else.
    return steps + (1 if nans and ordered else 0)


def expected(rows: list[tuple[float | None, str | None]]) -> dict[str, int]:
    numbers = [x for x, _ in rows if x is not None]
    words = [word for _, word in rows if word is not None]
    return {
        "unique": repeated(numbers),
        "unique words": repeated(words),
        "unique pairs": repeated([(same(x), word) for x, word in rows]),
        "not_null": sum(x is None for x, _ in rows),
        "not_null where": sum(x is None and word == "a" for x, word in rows),
        "accepted_values": len(set(words) - set(ACCEPTED)),
        "accepted_range": sum(not in_range(x) for x in numbers),
        "not_empty_string": sum(not word.strip() for word in words),
        "not_constant": int(len(set(words)) == 1),
        "at_least_one": int(not words),
        "relationships": sum(word != "a" for word in words),
        "sequential_values": gaps(numbers),
    }


@settings(max_examples=150, deadline=None)
@given(rows=ROWS)
def test_counts_are_what_python_counts(
    rows: list[tuple[float | None, str | None]], sql: dict[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute("CREATE OR REPLACE TABLE t (x DOUBLE, word VARCHAR)")
    if rows:
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    assert {name: count(connection, text) for name, text in sql.items()} == expected(rows)


@pytest.mark.parametrize("argument", ["group_by", "group_by_columns"])
@pytest.mark.parametrize(
    ("test", "column", "arguments"),
    [("at_least_one", "x", {}), ("row_count_between", None, {"min_value": 2})],
)
def test_groups_go_by_both_names_that_packages_of_dbt_use(
    test: str, column: str | None, arguments: dict[str, Any], argument: str
) -> None:
    rows = "SELECT * FROM (VALUES ('a', 1), ('a', 2), ('b', NULL)) AS t(part, x)"
    tried = try_tests([generic(test, column=column, **arguments, **{argument: ["part"]})], {"t": rows})
    assert tried.diagnostics == ()
    assert list(tried.failures.values()) == [1]
