"""Data tests as queries: many of one relation in one scan, and each by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

import duckdb

from osiris_sql.engines.duckdb.dense_keys import with_dense_keys
from osiris_sql.engines.duckdb.failure import explain_test_failure
from osiris_sql.engines.duckdb.hashed_keys import MANY, with_hashed_keys
from osiris_sql.engines.duckdb.run_clock import bind_run_clock
from osiris_sql.protocols import TestOutcome
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import RelationRef, quote_identifier

KEYS = 4
"""Keys in one scan: each has a hash table of its own, and they are in memory at once."""
MEASURES = 200
LARGE = 20_000
"""Rows from which on a look at how close its whole numbers lie is less than a hash table of them."""


def measure_tests(
    cursor: duckdb.DuckDBPyConnection,
    relation: RelationRef,
    tests: Sequence[PlannedTest],
    run_clock: str,
    *,
    is_table: bool,
) -> tuple[int, ...]:
    """Return the measure of each test of a relation, in as few scans as memory allows.

    Two keys of a table, each read and grouped by itself, cost two thirds of two DISTINCT counts of one
    scan (measured on 1.5.5 and 2.0.0), in the same statement. A view would be computed for each.
    """
    found: list[int] = []
    for part in _scans(_with_cheaper_keys(cursor, relation, tests) if is_table else tests):
        apart = is_table and sum(test.shape == "key" for test in part) > 1
        measures = [
            f"(SELECT count(*) FROM (\n{t.sql}\n))" if apart and t.shape == "key" else t.measure for t in part
        ]
        # The count makes it one row, also where every measure is a query of its own.
        sql = ",\n".join(["SELECT count(*)", *measures]) + f"\nFROM {relation.sql}"
        try:
            [(_, *row)] = cursor.execute(bind_run_clock(sql, run_clock)).fetchall()
        except duckdb.Error as error:
            raise explain_test_failure(error, _blamed(error, part, measures)) from error
        found += [int(value) for value in row]
    return tuple(found)


def _blamed(
    error: duckdb.Error, tests: Sequence[PlannedTest], measures: Sequence[str]
) -> Sequence[PlannedTest]:
    """The test that an error of their statement is about, by the line that DuckDB names; else all of them."""
    named = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
    if named is None:
        return tests
    ends = accumulate((measure.count("\n") + 1 for measure in measures), initial=1)
    return [test for test, begin in zip(tests, ends, strict=False) if begin < int(named[1])][-1:] or tests


def _with_cheaper_keys(
    cursor: duckdb.DuckDBPyConnection, relation: RelationRef, tests: Sequence[PlannedTest]
) -> Sequence[PlannedTest]:
    """The tests of a table, in a larger one those of its keys as they cost least."""
    if not any(test.shape == "key" for test in tests):
        return tests
    place = [relation.schema, relation.name]
    here = "database_name = current_database() AND schema_name = ? AND table_name = ?"
    asked = f"SELECT estimated_size, sql ILIKE '%collate%' FROM duckdb_tables() WHERE {here}"
    found = cursor.execute(asked, place).fetchone()
    if found is None:  # one of another warehouse
        return tests
    rows, collates = found
    if rows == 0:  # of a table that this transaction made nothing is estimated
        [(rows,)] = cursor.execute(f"SELECT count(*) FROM {relation.sql}").fetchall()
    if rows <= LARGE:
        return tests
    columns = cursor.execute(f"SELECT column_name, data_type FROM duckdb_columns() WHERE {here}", place)
    types = {quote_identifier(name): type_ for name, type_ in columns.fetchall()}
    tests = with_dense_keys(cursor, relation, tests, types)
    # Hashes know nothing of collations, by which values that differ may be one (DuckDB 2.0).
    return tests if collates or rows < MANY else with_hashed_keys(cursor, relation, tests, rows)


def _scans(tests: Sequence[PlannedTest]) -> Iterator[list[PlannedTest]]:
    part: list[PlannedTest] = []
    keys = 0
    for test in tests:
        if len(part) == MEASURES or (keys == KEYS and test.shape == "key"):
            yield part
            part, keys = [], 0
        part.append(test)
        keys += test.shape == "key"
    if part:
        yield part


def run_test(
    cursor: duckdb.DuckDBPyConnection, test: PlannedTest, run_clock: str, sample: int, counted: int | None
) -> TestOutcome:
    """Count the offending rows, unless they are `counted` already, and fetch the first ones as text."""
    try:
        return _outcome(cursor, test, offending_rows(test, run_clock), sample, counted)
    except duckdb.Error as error:
        raise explain_test_failure(error, [test]) from error


def _outcome(
    cursor: duckdb.DuckDBPyConnection, test: PlannedTest, offending: str, sample: int, counted: int | None
) -> TestOutcome:
    if counted is None:
        [(failures,)] = cursor.execute(f"SELECT count(*) FROM (\n{offending}\n)").fetchall()
    else:
        failures = counted if test.limit is None else min(counted, test.limit)
    if not failures or not sample:
        return TestOutcome(failures=failures, sample=())
    found = cursor.execute(f"SELECT * FROM (\n{offending}\n) ORDER BY ALL LIMIT {sample}")
    names = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    as_text = tuple(
        {name: None if value is None else str(value) for name, value in zip(names, row, strict=True)}
        for row in rows
    )
    return TestOutcome(failures=failures, sample=as_text)


def offending_rows(test: PlannedTest, run_clock: str) -> str:
    """Return the query of the offending rows, within the test's limit."""
    sql = bind_run_clock(test.sql, run_clock)
    return sql if test.limit is None else f"SELECT * FROM (\n{sql}\n) ORDER BY ALL LIMIT {test.limit}"
