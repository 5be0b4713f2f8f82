"""The tests of a large table as they cost least: proved by what is quickly seen, or asked another way.

A proof says that no row offends; without one nothing is said, and the test is asked as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from osiris_sql.engines.duckdb.catalog import AboutTable
from osiris_sql.engines.duckdb.dense_keys import dense_measure
from osiris_sql.engines.duckdb.dense_parents import holds_all
from osiris_sql.engines.duckdb.hashed_keys import MANY, hashes_differ
from osiris_sql.engines.duckdb.rising_keys import rises
from osiris_sql.engines.duckdb.whole_numbers import Range, ranges, types_of
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import RelationRef

LARGE = 20_000
"""Rows from which on a look at their values is less than a hash table of them."""
PROVED = "0"


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, with the types of the columns that tests name, and the ranges of those of whole numbers."""

    cursor: duckdb.DuckDBPyConnection
    relation: RelationRef
    rows: int
    types: dict[str, str]
    held: dict[str, Range]
    about: AboutTable | None


def with_shortcuts(
    cursor: duckdb.DuckDBPyConnection,
    relation: RelationRef,
    tests: Sequence[PlannedTest],
    is_table: Callable[[RelationRef], bool],
    about: AboutTable | None = None,
) -> Sequence[PlannedTest]:
    """Return the tests of a table, in a larger one with measures that cost less and say the same; `about` is
    what is known of it."""
    if not any(test.key or test.shape in ("key", "values") for test in tests):
        return tests
    [(rows,)] = cursor.execute(f"SELECT count(*) FROM {relation.sql}").fetchall()
    if rows <= LARGE:
        return tests
    columns = sorted({test.key for test in tests if test.key})
    types = types_of(cursor, relation, columns) if columns else {}
    table = _Table(cursor, relation, rows, types, ranges(cursor, relation, types), about)
    keys = {test.key for test in tests if test.key and test.shape == "key"}
    cheaper = {key: measure for key in keys if (measure := _measure_of_key(table, key))}
    grouped = sum(test.shape == "key" and test.key not in cheaper for test in tests)
    return [_shorter(table, test, cheaper, is_table, apart=grouped > 1) for test in tests]


def _shorter(
    table: _Table,
    test: PlannedTest,
    cheaper: Mapping[str, str],
    is_table: Callable[[RelationRef], bool],
    *,
    apart: bool,
) -> PlannedTest:
    if test.shape == "key" and test.key in cheaper:
        return replace(test, measure=cheaper[test.key], shape="aggregate")
    # Two keys, each read and grouped by itself, cost two thirds of two DISTINCT counts of one scan, and what
    # a condition finds is found faster by a filter of the scan than by one behind it (1.5.5 and 2.0.0).
    if test.shape == "values" or (test.shape == "key" and apart):
        return replace(test, measure=f"(SELECT count(*) FROM (\n{test.sql}\n))")
    held = table.held.get(test.key)
    if test.parent and held and is_table(test.parent.relation) and holds_all(table.cursor, test.parent, held):
        return replace(test, measure=PROVED)
    return test


def _measure_of_key(table: _Table, key: str) -> str:
    """Return what tells without a hash table whether a column is unique, "" if nothing does."""
    cursor, relation, type_ = table.cursor, table.relation, table.types[key]
    # Neither their order nor their hashes know of collations, by which texts that differ may be one.
    if type_ == "VARCHAR" and _may_collate(table):
        return ""
    if rises(cursor, relation, key, type_):
        return PROVED
    if measure := dense_measure(key, table.held.get(key)):
        return measure
    return PROVED if table.rows >= MANY and hashes_differ(cursor, relation, key, table.rows) else ""


def _may_collate(table: _Table) -> bool:
    if table.about:
        return table.about.may_collate
    here = "database_name = current_database() AND schema_name = ? AND table_name = ?"
    asked = f"SELECT sql ILIKE '%collate%' FROM duckdb_tables() WHERE {here}"
    place = [table.relation.schema, table.relation.name]
    return table.cursor.execute(asked, place).fetchall() != [(False,)]
