"""The one database of all unit tests: typed relations filled with fixtures, undone after each test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from osiris_sql.compile.tokens import tokenize
from osiris_sql.compile.unit_tests.mistake import StageError
from osiris_sql.types.relation import Column, RelationRef, TableSchema, quote_identifier
from osiris_sql.types.settings import PINNED_SETTINGS, SETTINGS_SINCE_2

_SCHEMA = "osiris_unit_test"
ACTUAL = RelationRef(_SCHEMA, "actual")
EXPECTED = RelationRef(_SCHEMA, "expected")
RAW = RelationRef(_SCHEMA, "raw")


class Stage:
    """An in-memory DuckDB with the settings that answers depend on, and no way to files."""

    def __init__(self) -> None:
        import duckdb

        self._error = duckdb.Error
        self._connection = duckdb.connect(":memory:")
        old = duckdb.__version__.startswith("1.")
        unknown = SETTINGS_SINCE_2 if old else frozenset()
        settings = {name: value for name, value in PINNED_SETTINGS.items() if name not in unknown}
        settings |= {"python_enable_replacements": "false", "enable_external_access": "false"}
        settings |= {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        for name, value in {**settings, "threads": "1"}.items():
            self._connection.execute(f"SET {name} = '{value}'")

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    @contextmanager
    def scene(self) -> Iterator[None]:
        """Open the scene of one test: what is created in it is gone after it."""
        self._connection.execute("BEGIN")
        try:
            self.run(f"CREATE SCHEMA {_SCHEMA}", "")
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def run(self, sql: str, what: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; raises StageError that begins with `what`."""
        try:
            return self._connection.execute(sql, list(values) or None).fetchall()
        except self._error as error:
            message = str(error).split("\n\n")[0].strip()
            raise StageError(f"{what}: {message}") from error

    def create(self, relation: RelationRef, schema: TableSchema) -> None:
        """Create an empty relation."""
        self.run(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(relation.schema)}", "")
        columns = ", ".join(f"{quote_identifier(c.name)} {c.type}" for c in schema.columns)
        self.run(f"CREATE OR REPLACE TABLE {relation.sql} ({columns})", str(relation))

    def create_as(
        self, relation: RelationRef, sql: str, what: str, values: Sequence[Any] = ()
    ) -> TableSchema:
        """Create a relation from a query and return its columns."""
        self.run(f"CREATE OR REPLACE TABLE {relation.sql} AS {sql}\n", what, values)
        return self.describe(f"FROM {relation.sql}", what)

    def describe(self, sql: str, what: str) -> TableSchema:
        """Return the columns of a query."""
        rows = self.run(f"DESCRIBE {sql}", what)
        return TableSchema(columns=tuple(Column(name=row[0], type=row[1]) for row in rows))

    def run_model(self, sql: str, run_clock: str, *, is_empty: bool = False) -> TableSchema:
        """Run a model into ACTUAL, or only its columns, and return these."""
        rows = _at_clock(sql, run_clock)
        rows = f"SELECT * FROM (\n{rows}\n) LIMIT 0" if is_empty else rows
        return self.create_as(ACTUAL, rows, "the model fails")


def _at_clock(sql: str, run_clock: str) -> str:
    """Return SQL with an instant in place of the run clock."""
    tokens = tokenize(sql) or ()
    clock = f"TIMESTAMPTZ '{run_clock}'"
    for before, token in zip(tokens[-2::-1], tokens[:0:-1], strict=True):
        if token.text == "run_clock" and before.text == "$" and before.end + 1 == token.start:
            sql = sql[: before.start] + clock + sql[token.end + 1 :]
    return sql
