"""Random queries: what is judged keeps its shape, has one answer, and reads what we say that it reads."""

from collections.abc import Iterator

import duckdb
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.determinism import InputFacts, binder_for, judge_query
from osiris_sql.compile.lineage import trace_columns
from osiris_sql.types.relation import Column, RelationRef, TableSchema

TABLES = {
    "t": {"id": "INTEGER", "g": "INTEGER", "k": "INTEGER", "x": "DOUBLE", "s": "VARCHAR", "d": "DATE"},
    "u": {"g": "INTEGER", "name": "VARCHAR", "w": "DOUBLE"},
    "p": {"pid": "INTEGER", "v": "INTEGER", "h": "INTEGER"},
}
KEYS = {"t": (frozenset({"id"}),), "u": (), "p": (frozenset({"pid"}),)}
SCHEMAS = {
    name: TableSchema(columns=tuple(Column(name=c, type=kind) for c, kind in columns.items()))
    for name, columns in TABLES.items()
}
FACTS = {
    ("main", name): InputFacts(node=f"model:{name}", schema=schema, keys=KEYS[name])
    for name, schema in SCHEMAS.items()
}
BIND = binder_for(FACTS)
QUIETLY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

SOURCES = {
    "t as a": "a",
    "(select * from t where k > 0) as a": "a",
    "(select distinct g, k, x, s, d, id from t) as a": "a",
    "(select * from t order by id limit 200) as a": "a",
    "t as a join u on u.g = a.g": "a",
    "t as a left join u using (g)": "a",
    "t as a semi join u on u.g = a.g": "a",
    "t as a, u": "a",
    "t as a join p as b on b.pid = a.k": "ab",
    "t as a left join p as b on b.pid = a.id": "ab",
    "t as a right join p as b on b.pid = a.k": "ab",
    "t as a full join p as b on b.pid = a.id": "ab",
    "p as b join t as a on a.id = b.pid and a.g = 3": "ab",
    "t as a join (select pid, count(*) as v, 1 as h from p group by pid) as b on b.pid = a.g": "ab",
    "t as a, lateral (select max(pid) as pid, 1 as v, 2 as h from p where p.v = a.k) as b": "ab",
    "t as a, lateral (select pid, v, h from p where p.v = a.k) as b": "ab",
}
COLUMNS = {
    "a": ["a.id", "a.g", "a.k", "a.x", "a.s", "a.d"],
    "ab": ["a.id", "a.g", "a.k", "a.x", "a.s", "a.d", "b.pid", "b.v", "b.h"],
}
NUMBERS = ["a.id", "a.k", "a.x", "a.x * 2", "a.k + a.g", "a.x / 3", "coalesce(a.k, 0)"]
FRAMES = ["", " rows 2 preceding", " rows between unbounded preceding and unbounded following"]
WINDOWS = ["row_number()", "rank()", "ntile(3)", "lag({c})", "lead({c}, 2)", "sum({n})", "avg({n})"]
WINDOWS += ["first_value({c})", "last_value({c})", "count(*)", "list({c})"]
AGGREGATES = ["sum({n})", "avg({n})", "stddev({n})", "max({c})", "count(distinct {c})", "list({c}{o})"]
AGGREGATES += ["first({c}{o})", "any_value({c})", "arg_max({c}, a.k)", "arg_min(a.s, {c})", "mode({c})"]
AGGREGATES += ["string_agg(a.s, ',')", "list(distinct {c})"]


def one_of(texts: list[str], columns: list[str], order: str) -> st.SearchStrategy[str]:
    """Return one of the texts, filled in."""
    column, number = st.sampled_from(columns), st.sampled_from(NUMBERS)
    return st.builds(lambda t, c, n: t.format(c=c, n=n, o=order), st.sampled_from(texts), column, number)


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Return a query over the tables of this file."""
    source = draw(st.sampled_from(sorted(SOURCES)))
    names = COLUMNS[SOURCES[source]]
    grouped = draw(st.booleans())
    columns = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    items = [f"{column} as {column[-1]}{index}" for index, column in enumerate(columns)]
    for index in range(draw(st.integers(0, 2))):
        keys = draw(st.lists(st.sampled_from(names), max_size=2))
        order = f" order by {', '.join(keys)}" if keys else ""
        if grouped:
            call = draw(one_of(AGGREGATES, names, order)) + draw(
                st.sampled_from(["", " filter (where a.k > 1)"])
            )
        else:
            part = draw(st.sampled_from(["", "partition by a.g", "partition by a.g, a.k"]))
            frame = draw(st.sampled_from(FRAMES)) if order else ""
            call = f"{draw(one_of(WINDOWS, names, ''))} over ({part}{order}{frame})"
        items.append(call if index == 0 and draw(st.booleans()) else f"{call} as e{index}")
    text = f"select {', '.join(items)} from {source}"
    text += draw(st.sampled_from(["", " where a.k <> 3", " where exists (from u as z where z.g = a.k)"]))
    text += f" group by {', '.join(columns)}" if grouped else ""
    text += draw(st.sampled_from(["", "", " order by 1", f" order by {columns[0]}"]))
    text += draw(st.sampled_from(["", "", " limit 7", " limit 50 offset 3"]))
    wrapped = [text, text, f"with c as ({text}) select * from c", f"select q.* from ({text}) as q"]
    return draw(st.sampled_from(wrapped))


@pytest.fixture(scope="module")
def warehouses() -> Iterator[list[duckdb.DuckDBPyConnection]]:
    """The same rows, full of ties and NULLs, stored in three orders."""
    connections = []
    for order in ("1", "hash(r)", "hash(hash(r))"):
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'; SET threads = 2")
        connection.execute(
            f"""CREATE TABLE t AS
                SELECT i::INTEGER AS id, (i % 7)::INTEGER AS g, nullif(i % 4, 2)::INTEGER AS k,
                nullif((i * 7919 % 100) / 7.0, 0)::DOUBLE AS x, 's' || (i % 11) AS s,
                DATE '2024-01-01' + (i % 5)::INTEGER AS d FROM range(300) AS r(i) ORDER BY {order}"""
        )
        connection.execute(
            f"""CREATE TABLE u AS SELECT (i % 5)::INTEGER AS g, 'n' || (i % 2) AS name, i / 3.0 AS w
                FROM range(12) AS r(i) ORDER BY {order}"""
        )
        connection.execute(
            f"""CREATE TABLE p AS
                SELECT nullif(i, 0)::INTEGER AS pid, (i % 4)::INTEGER AS v, (i % 3)::INTEGER AS h
                FROM range(25) AS r(i) ORDER BY {order}"""
        )
        connections.append(connection)
    yield connections
    for connection in connections:
        connection.close()


@QUIETLY
@given(sql=queries())
def test_a_rewrite_keeps_names_and_types_and_has_one_answer(
    sql: str, warehouses: list[duckdb.DuckDBPyConnection]
) -> None:
    output = BIND(sql)
    assert output is not None, sql
    judgement = judge_query(sql, sqlglot.parse_one(sql, read="duckdb"), FACTS, output, bind=BIND)
    assert BIND(judgement.sql) == output
    if judgement.verdict in ("proved", "rewritten"):
        text = f"select count(*), sum(hash(answer_)::HUGEINT) from ({judgement.sql}) as answer_"
        assert len({w.execute(text).fetchone() for w in warehouses}) == 1, judgement
    for key in judgement.keys:
        names = ", ".join(f'"{name}"' for name in sorted(key)) or "1"
        counted = f"select count(*) - count(distinct row({names})) from ({judgement.sql}) as q"
        assert not warehouses[0].execute(counted).fetchall()[0][0], (sql, key)


@QUIETLY
@given(sql=queries())
def test_the_columns_read_are_enough_to_bind(sql: str) -> None:
    output = BIND(sql)
    assert output is not None, sql
    tree = sqlglot.parse_one(sql, read="duckdb")
    inputs = {key: (facts.node, facts.schema) for key, facts in FACTS.items()}
    traced = trace_columns(sql, tree, inputs, output)
    assert all(column.inputs is not None for column in traced.lineage), sql
    judged = judge_query(sql, tree, FACTS, output, bind=BIND)
    binder = Binder()
    for name, schema in SCHEMAS.items():
        read = traced.reads[f"model:{name}"]
        kept = tuple(c for c in schema.columns if read is None or c.name in read)
        nothing = (Column(name="nothing_", type="INTEGER"),)
        binder.create_table(RelationRef("main", name), TableSchema(columns=kept or nothing))
    assert binder.bind(sql) == output
    assert binder.bind(judged.sql) == output
    binder.close()
