"""Data tests as queries: many of one relation in one scan, and each by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import duckdb

from osiris_sql.engines.duckdb.catalog import AboutTable
from osiris_sql.engines.duckdb.failure import explain_test_failure
from osiris_sql.engines.duckdb.run_clock import bind_run_clock
from osiris_sql.engines.duckdb.shortcuts import LARGE, with_shortcuts
from osiris_sql.protocols import TestOutcome
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import RelationRef

KEYS = 4
"""Keys in one scan: each has a hash table of its own, and they are in memory at once."""
MEASURES = 200
_HASHES = re.compile(r"\b(DISTINCT|SELECT)\b", re.IGNORECASE)


def measure_tests(
    cursor: duckdb.DuckDBPyConnection,
    relation: RelationRef,
    tests: Sequence[PlannedTest],
    run_clock: str,
    is_table: Callable[[RelationRef], bool],
    about: AboutTable | None = None,
    widen: Callable[[], None] = lambda: None,
) -> tuple[int, ...]:
    """Return the measure of each test of a relation, in as few scans as memory allows.

    Of a large table it is first looked what costs less; a view would be computed for each look. `about` is
    what is known of a table. `widen` is called before what may need much memory.
    """
    found: list[int] = []
    if is_table(relation) and (about is None or about.rows > LARGE):
        tests = with_shortcuts(cursor, relation, tests, is_table, about)
    if not is_table(relation) or any(_HASHES.search(t.measure) and t.shape != "values" for t in tests):
        widen()
    for part in _scans(tests):
        # The count makes it one row, also where every measure is a query of its own.
        sql = ",\n".join(["SELECT count(*)", *(test.measure for test in part)]) + f"\nFROM {relation.sql}"
        try:
            [(_, *row)] = cursor.execute(bind_run_clock(sql, run_clock)).fetchall()
        except duckdb.Error as error:
            raise explain_test_failure(error, _blamed(error, part)) from error
        found += [int(value) for value in row]
    return tuple(found)


def _blamed(error: duckdb.Error, tests: Sequence[PlannedTest]) -> Sequence[PlannedTest]:
    """The test that an error of their statement is about, by the line that DuckDB names; else all of them."""
    named = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
    if named is None:
        return tests
    ends = accumulate((test.measure.count("\n") + 1 for test in tests), initial=1)
    return [test for test, begin in zip(tests, ends, strict=False) if begin < int(named[1])][-1:] or tests


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
    # Texts are DuckDB's own: Python has no month, no infinite date, and no nanosecond.
    first = f"SELECT * FROM (\n{offending}\n) ORDER BY ALL LIMIT {sample}"
    found = cursor.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({first})")
    names = [column[0] for column in found.description or ()]
    as_text = tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())
    return TestOutcome(failures=failures, sample=as_text)


def offending_rows(test: PlannedTest, run_clock: str) -> str:
    """Return the query of the offending rows, within the test's limit."""
    sql = bind_run_clock(test.sql, run_clock)
    return sql if test.limit is None else f"SELECT * FROM (\n{sql}\n) ORDER BY ALL LIMIT {test.limit}"
