"""A project whose relations are made from queries, with the real compiler and a real DuckDB below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.data_tests import TestScope, compile_data_tests
from osiris_sql.compile.known import Known
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.render import Renderer
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import CompiledTest
from osiris_sql.types.project import (
    DataTest,
    EngineSettings,
    ExtractConfig,
    LintConfig,
    MacroFile,
    Model,
    Project,
    SourceTable,
)
from osiris_sql.types.relation import Column, RelationRef, TableSchema
from osiris_sql.types.settings import PINNED_SETTINGS, SETTINGS_SINCE_2

PLACE = Location(path="models/schema.yml", line=7, column=9)
CLOCK = "2024-05-17T10:30:00+00:00"


def open_database() -> duckdb.DuckDBPyConnection:
    """Return an empty database with the settings that answers depend on."""
    connection = duckdb.connect()
    old = duckdb.__version__.startswith("1.")
    for name, value in PINNED_SETTINGS.items():
        if not (old and name in SETTINGS_SINCE_2):
            connection.execute(f"SET {name} = '{value}'")
    return connection


def with_clock(sql: str) -> str:
    return sql.replace("$run_clock", f"TIMESTAMPTZ '{CLOCK}'")


def generic(test: str, *, node: str = "model:t", column: str | None = None, **given: Any) -> DataTest:
    """Return a generic test as the loader makes it; `config` is its configuration."""
    config = given.pop("config", {})
    name = given.pop("name", f"{test}_of_{node}")
    return DataTest(
        name=name,
        kind="generic",
        test=test,
        node=node,
        column=column,
        arguments=given,
        config=config,
        location=PLACE,
    )


def singular(text: str, name: str = "nothing_is_lost", **config: Any) -> DataTest:
    place = Location(path=f"tests/{name}.sql", line=1, column=1)
    return DataTest(name=name, kind="singular", text=text, config=config, location=place)


@dataclass(frozen=True)
class Tried:
    """Compiled tests with what they found: the count of offending rows, by name."""

    tests: tuple[CompiledTest, ...]
    diagnostics: tuple[Diagnostic, ...]
    failures: Mapping[str, int]

    @property
    def test(self) -> CompiledTest:
        """The only test."""
        (only,) = self.tests
        return only

    @property
    def count(self) -> int:
        """The offending rows of the only test."""
        return self.failures[self.test.name]


def try_tests(
    tests: Sequence[DataTest],
    models: Mapping[str, str],
    *,
    sources: Mapping[str, str] | None = None,
    macros: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
    broken: Sequence[str] = (),
    needs: Mapping[str, tuple[str, ...]] | None = None,
) -> Tried:
    """Return the tests compiled, and run on relations that are made from the SELECTs of `models`
    (in build order) and `sources`; `broken` are nodes whose own compilation failed, `needs` what each
    model is made from."""
    sources = sources or {}
    project = project_of(tests, models, sources, macros or {}, variables or {})
    connection, binder = open_database(), Binder()
    try:
        known: dict[str, Known] = {}
        for name, rows in {**sources, **models}.items():
            relation = RelationRef(*name.split(".")) if name in sources else RelationRef("main", name)
            node = f"source:{name}" if name in sources else f"model:{name}"
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{relation.schema}"')
            connection.execute(f"CREATE TABLE {relation.sql} AS {with_clock(rows)}")
            described = connection.execute(f"DESCRIBE {relation.sql}").fetchall()
            schema = TableSchema(columns=tuple(Column(name=row[0], type=row[1]) for row in described))
            if node not in broken:
                binder.create_table(relation, schema)
                known[node] = Known(node, relation, schema, (), "")
        renderer = Renderer(
            project, environ={}, schema_of=lambda node: known[node].schema if node in known else None
        )
        scope = TestScope(project, renderer, binder, NodeNames(project), known, needs or {})
        compiled, found = compile_data_tests(scope)
        failures = {test.name: count(connection, test.sql) for test in compiled}
        return Tried(compiled, found, failures)
    finally:
        binder.close()
        connection.close()


def count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """Return how many rows a test finds, asked as the engine asks."""
    (row,) = connection.execute(f"SELECT count(*) FROM (\n{with_clock(sql)}\n)").fetchall()
    return int(row[0])


def project_of(
    tests: Sequence[DataTest],
    models: Mapping[str, str],
    sources: Mapping[str, str] = {},
    macros: Mapping[str, str] = {},
    variables: Mapping[str, Any] = {},
) -> Project:
    """Return a project of these parts."""
    return Project(
        root="/project",
        name="cinema",
        env="dev",
        environments=("dev",),
        warehouse=".osiris/dev.duckdb",
        settings=EngineSettings(),
        vars=variables,
        connections=(),
        sources=tuple(_source(name) for name in sources),
        models=tuple(
            Model(name=name, path=f"models/{name}.sql", text=text, config={}, location=Location(path=name))
            for name, text in models.items()
        ),
        macros=tuple(MacroFile(path=path, text=text) for path, text in macros.items()),
        data_tests=tuple(tests),
        unit_tests=(),
        publications=(),
        schemas={},
        lint=LintConfig(),
    )


def _source(name: str) -> SourceTable:
    source, table = name.split(".")
    return SourceTable(
        source=source,
        name=table,
        identifier=table,
        connection=source,
        extract=ExtractConfig(),
        location=Location(path="sources.yml"),
    )
