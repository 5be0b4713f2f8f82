"""The memory of a run: little while it only looks at tables, all of it once anything needs more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from osiris_sql.engines.duckdb import memory_limit
from osiris_sql.engines.duckdb.engine import DuckDBEngine
from osiris_sql.engines.duckdb.memory_limit import MemoryLimit
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, Location, StepError
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import RelationRef

CLOCK = "2026-01-31T12:00:00+00:00"
KEYS = RelationRef("main", "keys")
# No key of this shape rises, so a hash table tells whether it is unique.
UNSORTED = "SELECT (i * 7919) % 300007 || '-key' AS k, i AS n FROM range({rows}) AS r(i)"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    warehouse = tmp_path / "w.duckdb"
    made = DuckDBEngine(warehouse, {}, read_only=False)
    with made.transaction() as transaction:
        transaction.replace_table(KEYS, UNSORTED.format(rows=300_000), CLOCK)
    made.close()
    opened = DuckDBEngine(warehouse, {}, read_only=False)
    yield opened
    opened.close()


def asked(measure: str, shape: str = "rows", key: str = "") -> PlannedTest:
    return PlannedTest(
        name="t",
        test="t",
        node="model:keys",
        sql="",
        reads=(),
        fingerprint="f",
        location=Location(path="x"),
        measure=measure,
        shape=shape,
        key=key,
    )


NOT_NULL = asked("count(*) - count(n)")
UNIQUE = asked("count(k) - count(DISTINCT k)", "key", '"k"')
LISTED = asked("len(list(k)) - count(*)")


def limit_of(engine: DuckDBEngine) -> str:
    [(limit,)] = engine._connection.execute("SELECT current_setting('memory_limit')").fetchall()
    return str(limit)


def measure(engine: DuckDBEngine, *tests: PlannedTest) -> tuple[int, ...]:
    with engine.transaction() as transaction:
        return transaction.measure_tests(KEYS, tests, CLOCK)


def write(engine: DuckDBEngine) -> None:
    with engine.transaction() as transaction:
        transaction.replace_table(KEYS, "SELECT 'a' AS k, 1 AS n", CLOCK)


@pytest.mark.parametrize(
    ("ask", "is_little"),
    [
        (lambda engine: measure(engine, NOT_NULL), True),
        (lambda engine: measure(engine, NOT_NULL, UNIQUE), False),
        (write, False),
    ],
    ids=["counts", "a hash table", "a new table"],
)
def test_little_memory_is_taken_while_it_is_enough(
    engine: DuckDBEngine, ask: Callable[[DuckDBEngine], object], is_little: bool
) -> None:
    whole = limit_of(engine)
    measure(engine, NOT_NULL)
    assert (little := limit_of(engine)) != whole
    ask(engine)
    assert (limit_of(engine) == little) == is_little
    measure(engine, NOT_NULL)
    assert (limit_of(engine) == little) == is_little


def test_what_little_memory_can_not_hold_is_asked_again_with_all(
    engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_limit, "LITTLE", 4)
    measure(engine, NOT_NULL)
    little = limit_of(engine)
    with engine._connection.cursor() as cursor, pytest.raises(duckdb.OutOfMemoryException):
        cursor.execute(f"SELECT {LISTED.measure} FROM keys").fetchall()
    assert measure(engine, LISTED) == (0,)
    assert limit_of(engine) != little


def test_a_limit_that_is_set_stays(tmp_path: Path) -> None:
    opened = DuckDBEngine(tmp_path / "w.duckdb", {"memory_limit": "1GB"}, read_only=False)
    write(opened)
    set_by_them = limit_of(opened)
    assert measure(opened, NOT_NULL) == (0,)
    assert limit_of(opened) == set_by_them
    opened.close()


def test_a_limit_below_what_is_held_is_not_taken() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE held AS SELECT hash(i) AS h FROM range(20_000_000) AS r(i)")
        memory = MemoryLimit(connection, is_set=False)
        connection.execute("SET temp_directory = ''")
        assert memory.look(lambda: 1) is None


def test_a_cancelled_look_is_not_repeated() -> None:
    def cancelled() -> int:
        raise CancelledError(Diagnostic(rule="interrupted", message="the query was interrupted"))

    def failed() -> int:
        raise StepError(Diagnostic(rule="out-of-memory", message="the query needs more memory"))

    with duckdb.connect() as connection:
        memory = MemoryLimit(connection, is_set=False)
        assert memory.look(failed) is None
        with pytest.raises(CancelledError):
            memory.look(cancelled)
