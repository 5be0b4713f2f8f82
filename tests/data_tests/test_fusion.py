"""Tests of one relation in one scan find what each finds alone: counts and samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from functools import cache
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from data_tests.tested_project import CLOCK, generic, open_database, try_tests
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_sql.compile.data_tests.built_in import built_in_names, load_built_in
from osiris_sql.engines.duckdb import hashed_keys, shortcuts
from osiris_sql.engines.duckdb.audit import measure_tests
from osiris_sql.engines.duckdb.dense_parents import holds_all
from osiris_sql.engines.duckdb.rising_keys import rises
from osiris_sql.engines.duckdb.shortcuts import with_shortcuts
from osiris_sql.engines.duckdb.transaction import DuckDBTransaction
from osiris_sql.engines.duckdb.whole_numbers import Range
from osiris_sql.run.steps.running import Asked
from osiris_sql.run.steps.tests import measure
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.manifest import CompiledTest
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import ColumnRef, RelationRef

COLUMNS = "id BIGINT, x DOUBLE, word VARCHAR, amount DECIMAL(9,2), made TIMESTAMP"
WHERES = (None, "word = 'a'", "id > 0 or x is null", "false", "true -- all", "CAST(word AS INTEGER) > 0")

DECLARED: list[tuple[str, str | None, dict[str, Any]]] = [
    ("unique", "id", {}),
    ("unique", "x", {}),
    ("unique", "word", {}),
    ("unique_combination_of_columns", None, {"combination_of_columns": ["id", "word"]}),
    ("unique_combination_of_columns", None, {"combination_of_columns": ["x"]}),
    ("not_null", "id", {}),
    ("not_null", "x", {"limit": 2}),
    ("accepted_values", "word", {"values": ["a", "it's"]}),
    ("accepted_values", "id", {"values": [1, 2], "quote": False}),
    ("accepted_range", "x", {"min_value": 0, "max_value": 2}),
    ("accepted_range", "id", {"max_value": "x"}),
    ("not_empty_string", "word", {}),
    ("expression_is_true", None, {"expression": "id < 2 and x < 2"}),
    ("expression_is_true", None, {"expression": "word <> '1' or CAST(word AS INTEGER) = 1"}),
    ("expression_is_true", None, {"expression": "made < now()"}),
    ("expression_is_true", "amount", {"expression": "> 0 -- a comment"}),
    ("matches_regex", "word", {"regex": "^[a-z]"}),
    ("at_least_one", "word", {}),
    ("not_constant", "x", {}),
    ("not_constant", "x", {"group_by_columns": ["word"]}),
    ("column_type", "id", {"column_type": "BIGINT"}),
    ("column_type", "id", {"column_type": "VARCHAR"}),
    ("row_count_between", None, {"min_value": 2, "max_value": 5}),
    ("row_count_between", None, {"min_value": "(SELECT count(*) FROM main.other)"}),
    ("sum_between", "amount", {"min_value": -2, "max_value": 4, "strictly": True}),
    ("mean_between", "amount", {"max_value": 1}),
    ("recency", None, {"field": "made", "datepart": "day", "interval": 2}),
    ("relationships", "word", {"to": "ref('other')", "field": "word"}),
    ("relationships", "x", {"to": "ref('other')", "field": "x"}),
    ("relationships", "id", {"to": "ref('other')", "field": "x"}),
    ("relationships", "id", {"to": "ref('other')", "field": "id"}),
    ("sequential_values", "id", {}),
]

OTHER = """SELECT * FROM (
    VALUES ('a', 1.0::DOUBLE, 0::BIGINT), (NULL, NULL, 1), (NULL, NULL, 3), (NULL, NULL, NULL)
) AS o(word, x, id)"""

ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-2, 3)),
        st.one_of(st.none(), st.integers(-2, 3).map(float), st.just(float("nan")), st.just(-0.0)),
        st.one_of(st.none(), st.sampled_from(["", "a", "A", " ", "1", "it's"])),
        st.one_of(st.none(), st.integers(-3, 3)),
        st.one_of(st.none(), st.sampled_from(["2024-05-01", "2024-05-17 09:00", "2025-01-01"])),
    ),
    max_size=10,
)


def planned(test: CompiledTest) -> PlannedTest:
    shared = {f.name for f in fields(PlannedTest)} & {f.name for f in fields(CompiledTest)}
    return PlannedTest(**{name: getattr(test, name) for name in shared})


@cache
def compile_all() -> list[PlannedTest]:
    tests = [
        generic(
            test,
            column=column,
            name=f"{test} {number} {place}",
            config={
                **({"where": where} if where else {}),
                **({"limit": arguments["limit"]} if "limit" in arguments else {}),
            },
            **{key: value for key, value in arguments.items() if key != "limit"},
        )
        for number, (test, column, arguments) in enumerate(DECLARED)
        for place, where in enumerate(WHERES)
    ]
    row = "SELECT 1::BIGINT AS id, 1::DOUBLE AS x, '1' AS word, 1::DECIMAL(9,2) AS amount, made"
    tried = try_tests(
        tests,
        {
            "other": OTHER,
            "t": f"{row} FROM (SELECT NULL::TIMESTAMP AS made) LIMIT 0",
        },
    )
    assert tried.diagnostics == ()
    return [planned(test) for test in tried.tests]


@pytest.fixture(scope="module")
def pool() -> list[PlannedTest]:
    return compile_all()


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    made = open_database()
    made.execute(f"CREATE TABLE other AS {OTHER}")
    yield made
    made.close()


@contextmanager
def treated_as_large(share: int = 3) -> Iterator[None]:
    """Take the ways that are worth it on large tables on small ones too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortcuts, "LARGE", -1)
        patch.setattr(shortcuts, "MANY", 0)
        patch.setattr(hashed_keys, "SHARE", share)
        yield


def outcome(transaction: DuckDBTransaction, test: PlannedTest, counted: int | None) -> Any:
    try:
        found = transaction.run_test(test, CLOCK, 5, counted=counted)
        return found.failures, str(found.sample)
    except StepError as error:
        [said] = error.diagnostics
        assert said.message == f"the data test {test.name} could not be asked"
        return said.rule


def where_fails(connection: duckdb.DuckDBPyConnection, test: PlannedTest) -> bool:
    where = WHERES[int(test.name.split()[-1])]
    try:
        connection.execute(f"SELECT {where or 'true'} FROM t").fetchall()
    except duckdb.ConversionException:
        return True
    return False


def rank(value: Any) -> tuple[int, Any]:
    """A longer text comes after a shorter one, NULL before all."""
    return (-1, None) if value is None else (len(value) if isinstance(value, str) else 0, value)


@settings(max_examples=200, deadline=None)
@given(
    rows=ROWS,
    order=st.sampled_from([None, 0, 2]),
    picks=st.lists(st.integers(0, 9999), min_size=1, max_size=25),
    large=st.booleans(),
)
def test_one_scan_finds_what_each_test_finds_alone(
    rows: list[tuple[Any, ...]],
    order: int | None,
    picks: list[int],
    large: bool,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    pool = compile_all()
    if order is not None:
        rows = sorted(rows, key=lambda row: rank(row[order]))
    connection.execute(f"CREATE OR REPLACE TABLE t ({COLUMNS})")
    if rows:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    chosen = list({(test := pool[pick % len(pool)]).name: test for pick in picks}.values())
    transaction = DuckDBTransaction(connection)
    running: Any = SimpleNamespace(plan=SimpleNamespace(run_clock=CLOCK), asked={"": Asked()})
    alone = {test: outcome(transaction, test, None) for test in chosen}
    try:
        with treated_as_large() if large else nullcontext():
            measured = measure(running, transaction, "", chosen)
    except StepError as error:
        # The scan fails only where one of its tests does, or the `where` of one on any row: alone, DuckDB
        # may leave it out for rows that the test's own condition leaves out.
        [said] = error.diagnostics
        [blamed] = [t for t in chosen if said.message == f"the data test {t.name} could not be asked"]
        assert alone[blamed] == said.rule == "test-error" or where_fails(connection, blamed)
        return
    assert len(measured) == sum(bool(test.measure) for test in chosen)
    for test in chosen:
        counted = measured[test].failures if test in measured else None
        assert outcome(transaction, test, counted) == alone[test], test.name


def test_most_of_them_are_told_by_the_scan(pool: list[PlannedTest]) -> None:
    alone = {t.name.split()[0] for t in pool if not t.measure and t.name.endswith(" 0")}
    # One test each needs its query: of groups, of the run clock, of unequal types, of an order.
    assert alone == {"not_constant", "expression_is_true", "relationships", "sequential_values"}


@pytest.mark.parametrize("name", sorted(set(built_in_names().values())))
def test_a_shape_comes_with_what_it_is_made_of(name: str) -> None:
    built_in = load_built_in(name)
    assert set(built_in.alone_with) <= {*built_in.arguments, "where"}
    if built_in.shape is None:
        assert name in {
            "cardinality_equality",
            "equal_rowcount",
            "mutually_exclusive_ranges",
            "sequential_values",
        }


NUMBERS = "CAST(v AS INTEGER)"
ASKED = [
    ("kind = 'number'", f"{NUMBERS} = 1", False),
    (None, f"kind <> 'number' or {NUMBERS} = 1", False),
    (None, "kind <> 'number' or v = 1", False),
    (None, f"case when kind = 'number' then {NUMBERS} = 1 end", False),
    (None, f"coalesce(n > 0, {NUMBERS} = 1)", False),
    (None, f"{NUMBERS} = 1", True),
    (None, "n + 1 > n", True),
    ("kind = 'number'", "n > 0", True),
    ("kind = 'number'", "n + 1 > 0", False),
    (None, "n between 0 and 9 and kind in ('a', 'b') or v is null", True),
    (None, "columns(*) is not null", False),
]


@pytest.mark.parametrize(("where", "expression", "together"), ASKED)
def test_what_a_filter_may_skip_is_not_asked_of_all_rows(
    where: str | None, expression: str, together: bool
) -> None:
    config = {"where": where} if where else {}
    declared = generic("expression_is_true", expression=expression, config=config)
    tried = try_tests([declared], {"t": "SELECT 'number' AS kind, '1' AS v, 1 AS n"})
    assert bool(tried.test.measure) == together


@pytest.mark.parametrize("array", ["[n, n]::INTEGER[2]", "{'pair': [n, n]::INTEGER[2]}"])
def test_arrays_of_fixed_size_are_combined_apart(array: str) -> None:
    # In one DISTINCT count with others they end the process (DuckDB 2.0.0).
    rows = f"SELECT {array} AS pair, 1 AS n FROM (VALUES (1), (1), (2)) AS t(n)"
    tried = try_tests(
        [generic("unique_combination_of_columns", combination_of_columns=["pair", "n"])], {"t": rows}
    )
    assert (tried.test.measure, tried.count) == ("", 1)


def test_a_key_needs_a_hash_table_so_only_some_are_in_one_scan(
    pool: list[PlannedTest], connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE t ({COLUMNS})")
    connection.execute("INSERT INTO t VALUES (1, 1, 'a', 1, NULL), (1, 2, 'b', 1, NULL)")
    keys = [t for t in pool if t.test == "unique" and t.name.endswith(" 0")] * 5
    transaction = DuckDBTransaction(connection)
    assert keys[0].relation
    values = transaction.measure_tests(keys[0].relation, keys, CLOCK)
    assert [bool(v) for v in values] == [t.name.startswith("unique 0") for t in keys]


@pytest.mark.parametrize(
    ("column_type", "numbers", "duplicates"),
    [
        ("TINYINT", [-128, 127, None, None], 0),
        ("TINYINT", [-128, 127, 127], 1),
        ("UTINYINT", [0, 255, 255], 1),
        ("BIGINT", [-(2**63), -(2**63) + 9, -(2**63)], 1),
        ("BIGINT", [2**63 - 1, 2**63 - 9], 0),
        ("BIGINT", [-(2**63), 2**63 - 1, 0, 0], 1),
        ("UBIGINT", [2**64 - 1, 2**64 - 3, 2**64 - 1], 1),
        ("INTEGER", [7, 7, 7], 2),
        ("INTEGER", [None, None], 0),
        ("INTEGER", [], 0),
        ("INTEGER", [1, 2**31 - 1, 1], 1),
    ],
)
def test_a_key_of_whole_numbers_is_told_without_a_hash_table_and_exactly(
    column_type: str, numbers: list[int | None], duplicates: int
) -> None:
    connection = duckdb.connect()
    connection.execute(f'CREATE TABLE t ("a b" {column_type})')
    if numbers:
        connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in numbers])
    tried = try_tests([generic("unique", column="a b")], {"t": f'SELECT 1::{column_type} AS "a b"'})
    [test] = [planned(one) for one in tried.tests]
    assert test.key == '"a b"'
    relation = RelationRef(schema="main", name="t")
    with treated_as_large():
        assert measure_tests(connection, relation, [test], CLOCK, lambda _: True) == (duplicates,)
    connection.close()


@pytest.mark.parametrize(
    ("column_type", "values", "duplicates"),
    [
        ("VARCHAR", ["'a'", "'A'", "''", "NULL", "NULL"], 0),
        ("VARCHAR", ["'a'", "'b'", "'a'"], 1),
        ("VARCHAR COLLATE nocase", ["'a'", "'A'"], None),
        ("UUID", ["'6f1d4b5e-9c43-5c1e-8a55-0d3a9f6f2a11'"] * 2, 1),
        ("DATE", ["'2024-01-01'", "'infinity'", "'2024-01-02'"], 0),
        ("TIMESTAMPTZ", ["'2024-01-01 00:00:00+00'", "'2024-01-01 01:00:00+01'"], 1),
        ("DECIMAL(38, 2)", ["1.00", "1", "2"], 1),
        ("HUGEINT", ["170141183460469231731687303715884105727", "0"], 0),
    ],
)
@pytest.mark.parametrize("share", [1, 100], ids=["in shares", "at once"])
def test_a_key_is_told_by_the_hashes_of_its_values_and_exactly(
    column_type: str, values: list[str], duplicates: int | None, share: int
) -> None:
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE t (k {column_type})")
    connection.execute(f"INSERT INTO t VALUES {', '.join(f'({value})' for value in values)}")
    plain = column_type.removesuffix(" COLLATE nocase")
    tried = try_tests([generic("unique", column="k")], {"t": f"SELECT NULL::{plain} AS k"})
    [test] = [planned(one) for one in tried.tests]
    assert test.key == '"k"'
    if duplicates is None:  # a collation decides, as far as DuckDB counts by it
        [(duplicates,)] = connection.execute("SELECT count(k) - count(DISTINCT k) FROM t").fetchall()
    with treated_as_large(share):
        measured = measure_tests(connection, RelationRef("main", "t"), [test], CLOCK, lambda _: True)
    assert measured == (duplicates,)
    connection.close()


@pytest.mark.parametrize(
    ("column_type", "values", "rising"),
    [
        ("BIGINT", [-5, 3, 2**63 - 1], True),
        ("BIGINT", [1, 2, 2], False),
        ("BIGINT", [5, None, 5], False),
        ("BIGINT", [None, 1, None, 2, None], True),
        ("BIGINT", [2, 1], False),
        ("BIGINT", [], True),
        ("VARCHAR", ["", "A9", "B9", "A10", "A10b"], True),
        ("VARCHAR", ["b", "aa", "b"], False),  # each is longer than the last, or above it: that is no order
        ("VARCHAR", ["b", "b"], False),
        ("VARCHAR", [None, "b", None, "b"], False),
        # Texts of up to 12 bytes are compared in another way than longer ones.
        *(
            ("VARCHAR", [f"é{n:0{width - 2}}" for n in (1, 2, last)], last > 2)
            for width in (12, 13)
            for last in (3, 2, 1)
        ),
        ("DECIMAL(9, 2)", ["1.01", "1.10"], True),
        ("DATE", ["2024-01-01", "2023-12-31"], False),
    ],
)
@pytest.mark.parametrize("name", ["k", "before"])
def test_a_key_that_rises_from_row_to_row_is_seen(
    name: str, column_type: str, values: list[Any], rising: bool
) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({name} {column_type})")
        if values:
            connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
        assert rises(connection, RelationRef("main", "t"), f'"{name}"', column_type) == rising


@pytest.mark.parametrize(
    ("low", "high", "all_there"),
    [(0, 1, True), (3, 3, True), (0, 3, False), (-1, 0, False), (3, 4, False), (0, 2**60, False)],
)
def test_numbers_all_occur_where_their_whole_range_does(
    connection: duckdb.DuckDBPyConnection, low: int, high: int, all_there: bool
) -> None:
    parent = ColumnRef(relation=RelationRef("main", "other"), column='"id"')
    assert holds_all(connection, parent, Range(2, low, high)) == all_there


def test_what_a_large_table_shows_at_once_is_not_asked_again(
    pool: list[PlannedTest], connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE t ({COLUMNS})")
    connection.execute("INSERT INTO t VALUES (0, 1, 'a', 1, NULL), (1, 2, 'b', 1, NULL)")
    tests = [t for t in pool if t.name.endswith(" 0") and t.key and (t.column == "id" or t.test == "unique")]
    relation = RelationRef("main", "t")
    with treated_as_large():
        shown = with_shortcuts(connection, relation, tests, lambda _: True)
        assert {t.measure for t in shown} == {"0"}
        of_a_view = with_shortcuts(connection, relation, tests, lambda asked: asked == relation)
    assert {t.test for t in of_a_view if t.measure != "0"} == {"relationships"}
    assert {t.test for t in tests} == {"unique", "relationships"}
