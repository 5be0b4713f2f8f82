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


# What several calls take must come from the same rows, as it does where their order is left open.
ALIGNED = [
    "select g, unnest(list(id)) as id, unnest(list(s)) as s from t group by g",
    "select g, unnest(list(id order by d)) as id, unnest(list(s order by d)) as s from t group by g",
    "select g, first(id) as id, first(s) as s from t group by g",
    "select g, arg_max(id, d) as id, max_by(s, d) as s from t group by g",
    "select g, any_value(s) as s, first(id) as id from t where d = DATE '2024-01-01' group by g, id % 3",
    "select g, first_value(id) over w as id, first_value(s) over w as s from t"
    " window w as (partition by g order by d)",
    "select g, last_value(id) over w as id, last_value(s) over w as s from t"
    " window w as (partition by g order by d)",
    "select g, first(id) over (partition by g) as id, first(s) over (partition by g) as s from t",
    "select g, arg_min(s, k) over (partition by g) as s, arg_min(id, k) over (partition by g) as id from t",
    """select g, unnest(i) as id, unnest(j) as s from (
        select g, list(id) over (partition by g) as i, list(s) over (partition by g) as j from t where g < 3
        qualify row_number() over (partition by g order by id) = 1)""",
]  # fmt: skip


@pytest.mark.parametrize("sql", ALIGNED)
def test_what_is_taken_together_stood_in_one_row(
    sql: str, warehouses: list[duckdb.DuckDBPyConnection]
) -> None:
    judgement = judged(sql)
    assert judgement.verdict == "rewritten", judgement.reasons
    text = f"select count(*) from ({judgement.sql}\n) as q anti join t using (g, id, s)"
    assert warehouses[1].execute(text).fetchall() == [(0,)], judgement.sql


def test_a_list_over_a_window_keeps_its_order(warehouses: list[duckdb.DuckDBPyConnection]) -> None:
    whole = "partition by g order by d desc rows between unbounded preceding and unbounded following"
    judgement = judged(f"select g, list(d) over ({whole}) as q, list(k) over ({whole}) as r from t")
    text = f"select bool_and(q = list_reverse_sort(q)) from ({judgement.sql}\n) as q where g < 2"
    assert warehouses[1].execute(text).fetchall() == [(True,)], judgement.sql


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
