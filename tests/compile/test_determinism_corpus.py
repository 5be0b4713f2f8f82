"""Verdicts proved by execution: each construct runs many times, over rows stored in different orders,
with different numbers of threads, with and without DuckDB's insertion order. A query that is proved or
rewritten must have one answer; what the author wrote must have several where we say that it may."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import pytest
import sqlglot

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.compile.determinism import InputFacts, Judgement, judge_query
from osiris_sql.types.relation import Column, RelationRef, TableSchema

ROWS = 20_000
COLUMNS = {
    "id": "INTEGER",
    "g": "INTEGER",
    "k": "INTEGER",
    "x": "DOUBLE",
    "n": "DECIMAL(12,2)",
    "s": "VARCHAR",
    "d": "DATE",
}
GROUPS = {"g": "INTEGER", "name": "VARCHAR", "w": "DOUBLE"}
QUOTES = {"g": "INTEGER", "d": "DATE", "price": "DOUBLE"}
TABLES = {"t": COLUMNS, "u": GROUPS, "v": QUOTES}
KEYS = {"t": (frozenset({"id"}),), "u": (frozenset({"g"}),)}

# How the same query is run again: physical order of the rows, threads, insertion order.
RUNS = [(0, 1, True), (0, 2, True), (1, 4, True), (2, 4, False), (1, 2, False), (2, 1, True), (0, 4, False)]

ROWS_OF = {
    "t": f"""
        select i as id, i % 37 as g, i % 5 as k, (i * 7919 % 1000) / 7.0 as x,
            ((i * 31) % 977)::DECIMAL(12, 2) / 100 as n, 's' || (i * 13 % 101) as s,
            DATE '2024-01-01' + (i % 29)::INTEGER as d
        from range({ROWS}) as r(i)""",
    "u": "select i as g, 'name ' || i as name, i / 3.0 as w from range(37) as r(i)",
    "v": """select i % 37 as g, DATE '2024-01-01' + (i % 11)::INTEGER as d, (i * 17 % 1000) / 9.0 as price
        from range(2000) as r(i)""",
}

FACTS = {
    ("main", name): InputFacts(
        node=f"model:{name}",
        schema=TableSchema(columns=tuple(Column(name=c, type=t) for c, t in columns.items())),
        keys=KEYS.get(name, ()),
    )
    for name, columns in TABLES.items()
}
SEQUENCE = "CREATE SEQUENCE ticket"


@cache
def binder() -> Binder:
    """Return a binder over the tables and the sequence of this file."""
    made = Binder()
    made._connection.execute(SEQUENCE)
    for (schema, name), facts in FACTS.items():
        made.create_table(RelationRef(schema, name), facts.schema)
    return made


def bind(sql: str) -> TableSchema | None:
    """Return what a query gives, or None."""
    try:
        return binder().bind(sql)
    except BinderError:
        return None


def judged(sql: str) -> Judgement:
    """Return the judgement on a query over the tables of this file."""
    output = bind(sql)
    assert output is not None
    return judge_query(sql, sqlglot.parse_one(sql, read="duckdb"), FACTS, output, bind=bind)


@pytest.fixture(scope="module")
def warehouses() -> Iterator[list[duckdb.DuckDBPyConnection]]:
    """The same rows three times, each time stored in another order, in small row groups."""
    connections = []
    for order in ("1", "hash(r)", "hash(hash(r))"):
        connection = duckdb.connect()
        connection.execute("ATTACH ':memory:' AS w (ROW_GROUP_SIZE 2048); USE w; SET TimeZone = 'UTC'")
        connection.execute(SEQUENCE)
        for name, rows in ROWS_OF.items():
            columns = ", ".join(f"{column}::{kind} as {column}" for column, kind in TABLES[name].items())
            connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM ({rows}) AS r ORDER BY {order}")
        connections.append(connection)
    yield connections
    for connection in connections:
        connection.close()


def answers(warehouses: list[duckdb.DuckDBPyConnection], sql: str) -> set[tuple[int, int]]:
    """Return the different answers that a query gives, as fingerprints of bags of rows."""
    found = set()
    for order, threads, keep in RUNS:
        connection = warehouses[order]
        connection.execute(f"SET threads = {threads}; SET preserve_insertion_order = {keep}")
        parameters = {"run_clock": "2024-02-03 04:05:06+00"} if "$run_clock" in sql else {}
        text = f"select count(*), sum(hash(answer_)::HUGEINT) from ({sql}\n) as answer_"
        found.add(connection.execute(text, parameters).fetchone())
    return found


def corpus(verdict: str) -> dict[str, str]:
    """Return the queries of a verdict by what they are about."""
    text = (Path(__file__).parent / "test_determinism_corpus" / f"{verdict}.sql").read_text()
    pieces = (piece.partition("\n") for piece in text.removeprefix("-- ").split("\n-- "))
    return {name: sql.strip() for name, _, sql in pieces}


REWRITTEN = corpus("rewritten")  # their answers hang on luck, and a rewrite makes them whole
PROVED = corpus("proved")  # of the same kinds, with one answer as they are
UNSAFE = corpus("unsafe")
# Their answers differ for reasons that seven runs on small data can't show.
QUIET = {"row_number over a rollup"}


@pytest.mark.parametrize("name", REWRITTEN)
def test_rewritten_queries_have_one_answer(name: str, warehouses: list[duckdb.DuckDBPyConnection]) -> None:
    judgement = judged(REWRITTEN[name])
    assert judgement.verdict == "rewritten", judgement.reasons
    assert len(answers(warehouses, REWRITTEN[name])) > 1, "the corpus must show that the construct varies"
    assert len(answers(warehouses, judgement.sql)) == 1, judgement.sql


@pytest.mark.parametrize("name", PROVED)
def test_proved_queries_have_one_answer_as_they_are(
    name: str, warehouses: list[duckdb.DuckDBPyConnection]
) -> None:
    judgement = judged(PROVED[name])
    assert judgement.verdict == "proved", judgement.reasons
    assert judgement.sql == PROVED[name]
    assert len(answers(warehouses, PROVED[name])) == 1


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_queries_are_refused_with_a_way_out(
    name: str, warehouses: list[duckdb.DuckDBPyConnection]
) -> None:
    judgement = judged(UNSAFE[name])
    assert judgement.verdict == "unsafe"
    assert judgement.sql == UNSAFE[name]
    assert all(f.message and f.span for f in judgement.reasons if f.verdict == "unsafe")
    if name not in QUIET:
        assert len(answers(warehouses, UNSAFE[name])) > 1


@pytest.mark.parametrize("name", [*REWRITTEN, *PROVED])
def test_keys_of_the_output_hold(name: str, warehouses: list[duckdb.DuckDBPyConnection]) -> None:
    judgement = judged((REWRITTEN | PROVED)[name])
    for key in judgement.keys:
        columns = ", ".join(f'"{column}"' for column in sorted(key)) or "1"
        text = f"select count(*), count(distinct row({columns})) from ({judgement.sql}\n) as q"
        rows, distinct = warehouses[0].execute(text).fetchall()[0]
        assert rows == distinct or not key
        assert key or rows <= 1


def test_the_clock_is_the_plans(warehouses: list[duckdb.DuckDBPyConnection]) -> None:
    judgement = judged(
        "select now() as a, current_date as b, localtimestamp as c, today() as e from t limit 1"
    )
    row = warehouses[0].execute(judgement.sql, {"run_clock": "2024-02-03 04:05:06+00"}).fetchall()[0]
    assert [str(value)[:19] for value in row[:3]] == [
        "2024-02-03 04:05:06",
        "2024-02-03",
        "2024-02-03 04:05:06",
    ]
    assert len(answers(warehouses, judgement.sql)) == 1


def test_the_rows_are_stored_in_different_orders(warehouses: list[duckdb.DuckDBPyConnection]) -> None:
    assert len({w.execute("select id from t limit 1").fetchall()[0] for w in warehouses}) == 3
