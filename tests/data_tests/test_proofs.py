"""Keys that the SQL proves: they hold on any rows, NULLs too, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import duckdb
import pytest
from data_tests.tested_project import generic, open_database, project_of
from hypothesis import given, settings
from hypothesis import strategies as st
from plan.manifests import model as compiled_model

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.data_tests import TestScope as Scope
from osiris_sql.compile.data_tests import compile_data_tests
from osiris_sql.compile.data_tests.proof import Proofs
from osiris_sql.compile.known import Known
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.render import Renderer
from osiris_sql.types.relation import Column, RelationRef, TableSchema

TABLES = {"t": ("a INTEGER", "b INTEGER", "c VARCHAR"), "u": ("a INTEGER", "d INTEGER")}

QUERIES = {
    "SELECT a, count(*) AS n FROM t GROUP BY a": {"a"},
    "SELECT a, b, sum(b) AS n FROM t GROUP BY ALL": {"a b"},
    "SELECT a AS b, max(b) AS a FROM t GROUP BY t.a": {"b"},
    "SELECT a + 1 AS a, count(*) AS n FROM t GROUP BY a + 1": {"a"},
    "SELECT DISTINCT a, c FROM t": {"a c"},
    "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b, c": {"a"},
    "SELECT DISTINCT ON (a) b AS a, a AS b FROM t ORDER BY ALL": {"a"},
    "SELECT DISTINCT ON (t.a) b AS a, a AS b FROM t ORDER BY ALL": {"b"},
    "SELECT a, b FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b, c) = 1": {"a"},
    "SELECT count(*) AS n FROM t": {""},
    "SELECT a, b FROM t ORDER BY ALL LIMIT 1": {""},
    "SELECT a FROM t UNION SELECT a FROM u": {"a"},
    "WITH g AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT n, a FROM g WHERE n > 1": {"a"},
    "WITH g AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT g.a, d FROM g JOIN u USING (a)": set(),
    "WITH g AS (SELECT DISTINCT a FROM t), h AS (SELECT a, max(d) AS d FROM u GROUP BY a) "
    "SELECT g.a, h.d FROM g LEFT JOIN h ON g.a = h.a": {"a"},
    "WITH g AS (SELECT DISTINCT a FROM t), h AS (SELECT a, max(d) AS d FROM u GROUP BY a) "
    "SELECT h.a, h.d FROM g LEFT JOIN h ON g.a = h.a": set(),
    "WITH g AS (SELECT DISTINCT a FROM t), h AS (SELECT a, max(d) AS d FROM u GROUP BY a) "
    "SELECT g.a, h.d FROM g FULL JOIN h ON g.a = h.a": set(),
    "SELECT a FROM (SELECT DISTINCT a, b AS a FROM t) AS q": set(),
    "SELECT n, a FROM (SELECT a, b AS a, count(*) AS n FROM t GROUP BY t.a, t.b) AS q": set(),
    "SELECT sum(1) OVER () AS n FROM t GROUP BY ALL": set(),
    "SELECT a, max(b) AS b FROM t GROUP BY a EXCEPT SELECT a, d FROM u": {"a"},
    "SELECT a, max(b) AS b FROM t GROUP BY a EXCEPT SELECT a::FLOAT, d FROM u": {"a b"},
    "SELECT a, b FROM t": set(),
    "SELECT a % 2 AS a, count(*) AS n FROM t GROUP BY a": set(),
    "SELECT coalesce(a, 0) AS a, count(*) AS n FROM t GROUP BY a": set(),
    "SELECT a, count(*) AS n FROM t GROUP BY ROLLUP (a)": set(),
    "SELECT a, b, count(*) AS n FROM t GROUP BY GROUPING SETS ((a), (b), (a, b))": set(),
    "SELECT a, b, count(*) AS n FROM t GROUP BY CUBE (a, b)": set(),
    "SELECT a, unnest([1, 2]) AS n FROM t GROUP BY a": set(),
    "SELECT a FROM t UNION ALL SELECT a FROM u": set(),
    "SELECT a, count(*) AS n FROM t GROUP BY a UNION ALL SELECT a, 1 FROM u GROUP BY a": set(),
    "SELECT a, b FROM t QUALIFY rank() OVER (PARTITION BY a ORDER BY b) = 1": set(),
    "SELECT a, b FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b, c) <= 2": set(),
    "SELECT max(a) AS a, b FROM t GROUP BY b, c": set(),
    "SELECT x.a, y.d FROM (SELECT DISTINCT a FROM t) AS x, u AS y": set(),
}
CELL = st.one_of(st.none(), st.integers(0, 2))
ROWS = st.lists(st.tuples(CELL, CELL, st.one_of(st.none(), st.sampled_from("xy"))), max_size=8)


def schema_of(columns: list[tuple[Any, ...]]) -> TableSchema:
    return TableSchema(columns=tuple(Column(name=row[0], type=row[1]) for row in columns))


def scope_of(connection: duckdb.DuckDBPyConnection, sql: str, binder: Binder, **config: Any) -> Scope:
    """Return a project of the tables and one model `m`, whose SQL it is."""
    names = [*TABLES, "m"]
    project = project_of([generic("unique", node="model:m", column="a")], dict.fromkeys(names, ""))
    known: dict[str, Known] = {}
    for name in TABLES:
        schema = schema_of(connection.execute(f"DESCRIBE {name}").fetchall())
        known[f"model:{name}"] = Known(f"model:{name}", RelationRef("main", name), schema, (), "")
        binder.create_table(RelationRef("main", name), schema)
    schema = schema_of(connection.execute(f"DESCRIBE {sql}").fetchall())
    known["model:m"] = Known("model:m", RelationRef("main", "m"), schema, (), "")
    binder.create_table(RelationRef("main", "m"), schema)
    made = compiled_model("m", sql=sql, schema=schema, **config)
    return Scope(
        project, Renderer(project, environ={}), binder, NodeNames(project), known, {}, {"model:m": made}
    )


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    made = open_database()
    for name, columns in TABLES.items():
        made.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
    yield made
    made.close()


@pytest.fixture
def binder() -> Iterator[Binder]:
    made = Binder()
    yield made
    made.close()


@pytest.mark.parametrize(("sql", "keys"), QUERIES.items())
def test_what_is_proved(
    sql: str, keys: set[str], connection: duckdb.DuckDBPyConnection, binder: Binder
) -> None:
    scope = scope_of(connection, sql, binder)
    proofs = Proofs(scope)
    columns = [name.lower() for name in scope.known["model:m"].schema.names]
    for size in range(1, len(columns) + 1):
        for some in combinations(columns, size):
            wanted = any(set(key.split()) <= set(some) for key in keys)
            assert (proofs.of("model:m", frozenset(some)) is not None) == wanted, some


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, others=st.lists(st.tuples(CELL, CELL), max_size=6))
def test_what_is_proved_holds(
    rows: list[Any], others: list[Any], connection: duckdb.DuckDBPyConnection
) -> None:
    for name, wanted in (("t", rows), ("u", others)):
        connection.execute(f"DELETE FROM {name}")
        if wanted:
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(wanted[0]))})", wanted)
    for sql, keys in QUERIES.items():
        for key in keys:
            group = f"GROUP BY {', '.join(key.split())}" if key else ""
            found = connection.execute(
                f"SELECT count(*) FROM ({sql}) AS q {group} HAVING count(*) > 1"
            ).fetchall()
            assert found == [], (sql, key)


GROUPED = "SELECT a, count(*) AS n FROM t GROUP BY a"


@pytest.mark.parametrize(
    ("materialized", "verdict", "proved"),
    [
        ("table", "proved", True),
        ("view", "rewritten", True),
        ("incremental", "proved", False),
        ("ephemeral", "proved", False),
        ("table", "unknown", False),
    ],
)
def test_a_test_carries_its_proof(
    materialized: str, verdict: str, proved: bool, connection: duckdb.DuckDBPyConnection, binder: Binder
) -> None:
    scope = scope_of(connection, GROUPED, binder, materialized=materialized, verdict=verdict)
    [test], found = compile_data_tests(scope)
    assert found == ()
    assert (test.proof is not None) == proved
    if test.proof:
        assert test.proof.why == "the SQL of m gives one row for each a"
        assert test.proof.fingerprint == "model m"
