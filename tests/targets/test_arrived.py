"""Data tests on what arrived in PostgreSQL: they find what DuckDB finds, and they run before the commit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from data_tests.tested_project import generic, open_database, project_of
from servers.postgrest.server import SECRET_KEY
from targets.publishing import Project, words

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.data_tests import TestScope, compile_data_tests
from osiris_sql.compile.data_tests.arrived import PROVEN
from osiris_sql.compile.data_tests.built_in import Example, load_built_in
from osiris_sql.compile.known import Known
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.render import Renderer
from osiris_sql.engines.duckdb.audit import run_test
from osiris_sql.plan.planned_tests import planned_test
from osiris_sql.targets.supabase.ask import ask_rows
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import CompiledTest
from osiris_sql.types.project import Connection, DataTest, Publication
from osiris_sql.types.relation import Column, RelationRef, TableSchema

PLACE = Location(path="targets.yml", line=3)


def end(name: str, kind: str, options: dict[str, Any]) -> Connection:
    return Connection(name=name, type=kind, role="target", options=options, location=PLACE)


class Twice:
    """The same rows as tables of DuckDB and of PostgreSQL, and the tests compiled for both."""

    def __init__(self, cursor: Any, schema: str, tables: dict[str, str]) -> None:
        self.cursor, self.schema, self.duck = cursor, schema, open_database()
        self.schemas = {name: self._create(name, rows) for name, rows in tables.items()}

    def _create(self, name: str, rows: str) -> TableSchema:
        self.duck.execute(f"CREATE TABLE {name} AS {rows}")
        found = self.duck.execute(f"DESCRIBE {name}").fetchall()
        schema = TableSchema(columns=tuple(Column(name=row[0], type=row[1]) for row in found))
        columns = ", ".join(f'"{c.name}" {postgres_type(c.type).name}' for c in schema.columns)
        self.cursor.execute(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns})")
        for row in self.duck.execute(f"SELECT * FROM {name}").fetchall():
            self.cursor.execute(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(row))})", row)
        return schema

    def compile(self, *tests: DataTest) -> tuple[tuple[CompiledTest, ...], list[str]]:
        project = replace(
            project_of(tests, dict.fromkeys(self.schemas, "")),
            connections=(
                end("app", "supabase", {"schema": self.schema}),
                end("lake", "files", {}),
            ),
            publications=tuple(
                Publication(
                    target=target, table=name, model=name, connection=target, mode="replace", location=PLACE
                )
                for name in self.schemas
                for target in ("app", "lake")
            ),
        )
        binder, known = Binder(), {}
        for name, schema in self.schemas.items():
            relation = RelationRef("main", name)
            binder.create_table(relation, schema)
            known[f"model:{name}"] = Known(f"model:{name}", relation, schema, (), "")
        renderer = Renderer(project, environ={}, schema_of=lambda node: known[node].schema)
        compiled, found = compile_data_tests(
            TestScope(project, renderer, binder, NodeNames(project), known, {})
        )
        binder.close()
        return compiled, [diagnostic.message for diagnostic in found]

    def refusals(self, test: str, example: Example) -> list[str]:
        """Return why a test can't be asked of PostgreSQL."""
        arguments = {name: value for name, value in example.arguments.items() if name != "column_name"}
        there = {**arguments, **({"to": "other"} if "to" in arguments else {})}
        column = example.arguments.get("column_name")
        return self.compile(generic(test, node="target:app.t", column=column, name="there", **there))[1]

    def outcomes(self, test: str, example: Example, **config: Any) -> list[tuple[int, Any]]:
        """Return what a test finds in each database: the count, and the rows as sets of words."""
        arguments = dict(example.arguments)
        column = arguments.pop("column_name", None)
        there = {**arguments, **({"to": "other"} if "to" in arguments else {})}
        here = {**arguments, **({"to": "ref('other')"} if "to" in arguments else {})}
        (duck, pg), found = self.compile(
            generic(test, node="model:t", column=column, config=config, name="here", **here),
            generic(test, node="target:app.t", column=column, config=config, name="there", **there),
        )
        assert found == []
        asked = ask_rows(self.cursor, planned_test(pg, pg.reads), 50)
        told = run_test(self.duck, planned_test(duck, duck.reads), "2024-05-17T10:30:00+00:00", 50, None)
        return [(one.failures, sorted(map(str, map(_plain, one.sample)))) for one in (told, asked)]


def _plain(row: dict[str, str | None]) -> list[str]:
    """A number as a number: the databases write 4.0 and 4.000 alike no more than they must."""
    return [_number(value) for value in row.values()]


def _number(value: str | None) -> str:
    try:
        return str(float(value or ""))
    except ValueError:
        return str(value)


@pytest.fixture
def cursor(database) -> Iterator[Any]:
    with closing(psycopg2.connect(database.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f'SET search_path = "{database.schema}"')
        yield cursor


NOT_PLAIN = {"accepted_range": 1}
"""How many examples of a test hold conditions that are refused."""


@pytest.mark.parametrize("test", sorted(PROVEN))
def test_each_proven_test_finds_the_same_in_both(cursor, database, test: str) -> None:
    built_in, refused = load_built_in(test), 0
    for example in (*built_in.bad, *built_in.good):
        tables = {"t": example.rows, "other": example.arguments.get("to", "SELECT 1 AS id")}
        twice = Twice(cursor, database.schema, tables)
        if any("holds more than comparisons" in message for message in twice.refusals(test, example)):
            refused += 1
            continue
        for config in ({}, {"where": "1 = 1"}):
            here, there = twice.outcomes(test, example, **config)
            assert here == there, example
    assert refused == NOT_PLAIN.get(test, 0)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (generic("matches_regex", node="target:app.t", column="word", regex="a"), "can't run in a target"),
        (
            generic("recency", node="target:app.t", field="at", datepart="day", interval=1),
            "can't run in a target",
        ),
        (generic("accepted_range", node="target:app.t", column="word", max_value=3), "by its order"),
        (generic("unique", node="target:app.t", column="doc"), 'it compares "doc"'),
        (generic("not_null", node="target:app.t", column="id", config={"where": "r = 0.1"}), 'compares "r"'),
        (generic("sum_between", node="target:app.t", column="ok", min_value=1), "no number"),
        (generic("unique", node="target:lake.t", column="id"), 'a target of type "files" can\'t be tested'),
        (generic("unique", node="target:app.t", column="idd"), 'has no column "idd"'),
        (
            generic("unique", node="target:app.t", column="id", config={"store_failures": True}),
            "store_failures has no place in a target",
        ),
        (
            generic("unique", node="target:app.t", column="id", config={"where": "lower(word) = 'a'"}),
            '"where" holds more than comparisons',
        ),
        (
            generic("expression_is_true", node="target:app.t", expression="id % 2 = 0"),
            '"expression" holds more than comparisons',
        ),
        (
            generic("relationships", node="target:app.t", column="id", to="nothing", field="id"),
            '"nothing" is no table of the target app',
        ),
        (generic("uniqe", node="target:app.t", column="id"), 'there is no data test "uniqe"'),
    ],
)
def test_what_is_not_proven_is_refused_by_name(cursor, database, test: DataTest, said: str) -> None:
    twice = Twice(
        cursor,
        database.schema,
        {"t": "SELECT 1 AS id, 'a' AS word, '{}'::JSON AS doc, 0::FLOAT AS r, true AS ok"},
    )
    compiled, found = twice.compile(test)
    assert compiled == ()
    assert any(said in message for message in found), found


# ------------------------------------------------------------------------------------ by the command


A = [(1, "Alien"), (2, "Heat")]
TESTED = """mode: upsert, key: [id], data_tests: [{row_count_between: {max_value: 3}}],
          columns: [{name: title, data_tests: [not_null, accepted_values: {values: [Alien, Heat, Fargo]}]}]"""


@pytest.fixture
def project(database, tmp_path) -> Project:
    return Project(tmp_path / "films", database, TESTED)


def results(project: Project) -> dict[str, str]:
    # Two runs of one second are told apart by their files, not by their names.
    newest = max(project.folder.glob(".osiris/runs/*/run_results.json"), key=lambda p: p.stat().st_mtime_ns)
    return {test["test"]: test["status"] for test in json.loads(newest.read_text())["tests"]}


def test_a_test_that_fails_on_what_arrived_undoes_the_delivery(project, database) -> None:
    assert project.rows(*A).build().exit_code == 0
    assert set(results(project).values()) == {"pass"}
    assert len(results(project)) == 3
    # The rows of others count: each delivery is sound by itself.
    database.sql("INSERT INTO film VALUES (8, 'Fargo'), (9, 'Fargo')")
    done = project.rows(*A, (3, "Fargo")).build()
    assert done.exit_code == 1
    assert "row_count_between" in words(done)
    assert project.table() == [*A, (8, "Fargo"), (9, "Fargo")]
    database.sql("DELETE FROM film WHERE id > 7")
    assert project.build().exit_code == 0
    assert project.table() == [*A, (3, "Fargo")]


def test_the_test_command_asks_what_stands_there(project, database) -> None:
    assert project.rows(*A).build().exit_code == 0
    assert project.run("test").exit_code == 0
    database.sql("UPDATE film SET title = 'Brazil' WHERE id = 1")
    done = project.run("test")
    assert done.exit_code == 1
    assert "Brazil" in words(done)
    assert sorted(results(project).values()) == ["fail", "pass", "pass"]


def test_a_test_that_is_new_runs_on_what_was_published_before(project) -> None:
    assert project.rows(*A).build().exit_code == 0
    targets = project.folder / "targets.yml"
    targets.write_text(targets.read_text().replace("max_value: 3", "max_value: 1"))
    done = project.build()
    assert done.exit_code == 1
    assert project.build().exit_code == 1, "a failed test is not forgotten"
    targets.write_text(targets.read_text().replace("max_value: 1", "max_value: 2"))
    assert project.build().exit_code == 0
    assert project.build().exit_code == 0


def test_a_plan_shows_the_tests_of_a_publication(project) -> None:
    done = project.rows(*A).run("plan")
    assert done.exit_code == 0
    assert "3 data tests on what arrives" in words(done)


def test_over_rest_they_are_refused_before_anything_runs(project, database, rest_server) -> None:
    database.sql(f"INSERT INTO osiris.schemas VALUES ('{database.schema}')")
    targets = project.folder / "targets.yml"
    text = targets.read_text().replace('dsn: "${DSN}"', f'url: "{rest_server.url}", secret_key: "${{KEY}}"')
    targets.write_text(text)
    project.environ = {"KEY": SECRET_KEY}
    done = project.rows(*A).build()
    assert done.exit_code != 0
    assert "need a Postgres connection" in words(done)
