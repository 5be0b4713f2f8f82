"""DuckDB as the judge of names and types: queries are bound over empty typed tables."""

import json
from collections.abc import Sequence
from typing import Any

from osiris_sql.compile.binder_failure import InScope, explain_binder
from osiris_sql.compile.places import Problem
from osiris_sql.types.relation import Column, RelationRef, TableSchema, quote_identifier
from osiris_sql.types.settings import PINNED_SETTINGS, SETTINGS_SINCE_2

_DESCRIBE = "describe "

# `now()` has the type of these parameters, and with blanks their length, so that places stay right.
_PARAMETERS = {name: "now()".ljust(len(name)) for name in ("$run_clock", "$batch_start", "$batch_end")}


def _bindable(sql: str) -> str:
    if "$" in sql:
        for name, stand_in in _PARAMETERS.items():
            sql = sql.replace(name, stand_in)
    return sql


class BinderError(Exception):
    """DuckDB refuses a query; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Binder:
    """An empty in-memory database in which every relation gets its columns, and no row.

    `catalog` is the name that the warehouse has as a database, which DuckDB takes from its file.
    """

    def __init__(self, catalog: str = "warehouse") -> None:
        import duckdb

        self._duckdb = duckdb
        self._types: dict[str, str | None] = {}
        self._connection: duckdb.DuckDBPyConnection = duckdb.connect(":memory:")
        self.catalog = catalog
        if catalog != "memory":
            for use in ("ATTACH ':memory:' AS {0}", "USE {0}", "DETACH memory"):
                self._connection.execute(use.format(quote_identifier(catalog)))
        self._old = duckdb.__version__.startswith("1.")
        settings = {
            name: value
            for name, value in PINNED_SETTINGS.items()
            if not (self._old and name in SETTINGS_SINCE_2)
        }
        settings |= {
            "errors_as_json": "true",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "threads": "1",
        }
        for name, value in settings.items():
            self._connection.execute(f"SET {name} = '{value}'")
        # Nothing is run, so no plan has to be a good one.
        self._connection.execute("PRAGMA disable_optimizer")

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def bind(self, sql: str, in_scope: Sequence[InScope] = ()) -> TableSchema:
        """Return the columns and types that a query yields; raises BinderError.

        `in_scope` are the relations that it reads, for a better message.
        """
        try:
            rows = self._connection.execute(_DESCRIBE + _bindable(sql)).fetchall()
        except self._duckdb.Error as error:
            raise BinderError(explain_binder(error, sql, len(_DESCRIBE), in_scope)) from error
        return TableSchema(columns=tuple(Column(name=row[0], type=row[1]) for row in rows))

    def create_table(self, relation: RelationRef, schema: TableSchema) -> None:
        """Create an empty table; raises BinderError if these columns can't stand together."""
        self._create_schema(relation.schema)
        columns = ", ".join(f"{quote_identifier(c.name)} {c.type}" for c in schema.columns)
        sql = f"CREATE OR REPLACE TABLE {relation.sql} ({columns})"
        try:
            self._connection.execute(sql)
        except self._duckdb.Error as error:
            raise BinderError(explain_binder(error, sql, 0, ())) from error

    def has_untyped(self, sql: str, schema: TableSchema) -> bool:
        """Say whether a query may yield a column of no type (`NULL`), which DuckDB 1.5 calls an INTEGER."""
        seen = '"NULL"' if not self._old or "null" not in sql.lower() else "INTEGER"
        return any(seen in column.type for column in schema.columns)

    def create_like(self, relation: RelationRef, sql: str, *, view: bool) -> TableSchema:
        """Create an empty relation as a query makes it; a view keeps columns of no type (`NULL`)."""
        self._create_schema(relation.schema)
        sql = _bindable(sql)
        if view:
            self._connection.execute(f"CREATE OR REPLACE VIEW {relation.sql} AS {sql}")
        else:
            self._connection.execute(f"CREATE OR REPLACE TABLE {relation.sql} AS {sql}\nWITH NO DATA")
        return self.bind(f"FROM {relation.sql}")

    def canonical_type(self, data_type: str) -> str | None:
        """Return a type as DuckDB prints it (`int` is `INTEGER`), or None if there is no such type."""
        if data_type not in self._types:
            self._types[data_type] = self._ask_type(data_type)
        return self._types[data_type]

    def _ask_type(self, data_type: str) -> str | None:
        try:
            rows = self._connection.execute(f"{_DESCRIBE}SELECT CAST(NULL AS {data_type})").fetchall()
        except self._duckdb.Error:
            return None
        return str(rows[0][1]) if len(rows) == 1 else None

    def _create_schema(self, schema: str) -> None:
        if schema != "main":
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}")

    def check_statement(self, sql: str) -> list[Problem]:
        """Return what DuckDB's own parser says against a text that must be one static SELECT."""
        try:
            statements = self._connection.extract_statements(sql)
        except self._duckdb.Error as error:
            return [explain_binder(error, sql, 0, ())]
        kinds = {statement.type for statement in statements}
        if not statements:
            return [Problem("empty-model", "there is no SQL in this file", fix="write one SELECT")]
        if self._duckdb.StatementType.MULTI in kinds or (len(statements) > 1 and "pivot" in sql.lower()):
            return [
                Problem(
                    "dynamic-pivot",
                    "the columns of this PIVOT depend on the rows",
                    max(0, sql.lower().find("pivot")),
                    len("pivot"),
                    why="columns must be known before anything runs",
                    fix="name the values: PIVOT … ON column IN (…)",
                )
            ]
        if len(statements) > 1:
            return [Problem("two-statements", "there is more than one statement", why="a model is one query")]
        if kinds != {self._duckdb.StatementType.SELECT}:
            return [Problem("not-a-select", "this is not a SELECT", 0, 1, why="a model is one query")]
        return []

    def syntax_tree(self, sql: str) -> dict[str, Any] | None:
        """Return DuckDB's own syntax tree of a SELECT as JSON, or None where it can't write one."""
        row = self._connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        document: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
        return None if document["error"] else document
