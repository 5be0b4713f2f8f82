"""One transaction of the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection as Connection

from osiris_sql.engines.duckdb import audit, batches, failures, increments, versions
from osiris_sql.engines.duckdb.arrival import Arrival
from osiris_sql.engines.duckdb.catalog import Catalog, Kind, Place, describe, place_of
from osiris_sql.engines.duckdb.fingerprint import fingerprint_rows
from osiris_sql.engines.duckdb.increments import INCREMENT
from osiris_sql.engines.duckdb.memory_limit import MemoryLimit
from osiris_sql.engines.duckdb.parcel import take_parcel
from osiris_sql.engines.duckdb.preview import preview
from osiris_sql.engines.duckdb.run_clock import bind_run_clock
from osiris_sql.engines.duckdb.spool import attach_spool, rows_of, seal_spool, write_spool
from osiris_sql.protocols import Rows, SpoolSpec, TestOutcome
from osiris_sql.support import wire
from osiris_sql.types.batches import Batches
from osiris_sql.types.manifest import SnapshotSpec
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import Column, DataFingerprint, RelationRef, TableSchema, quote_identifier


class DuckDBTransaction:
    """A cursor of the warehouse inside BEGIN and COMMIT, made by `DuckDBEngine.transaction`; one that is
    made of a cursor alone has been begun by who made it."""

    def __init__(
        self, cursor: Connection, catalog: Catalog | None = None, memory: MemoryLimit | None = None
    ) -> None:
        self._idle_cursor = cursor
        self.begun = memory is None
        self._memory = memory or MemoryLimit(cursor, is_set=True)
        self._catalog = catalog or Catalog(cursor)
        self._schemas: dict[Place, TableSchema] = {}
        self.changed: dict[Place, Kind | None] = {}
        self._attached: list[str] = []
        self._spools: dict[str, Path] = {}
        self.written: dict[str, str | None] = {}

    @property
    def _cursor(self) -> Connection:
        """The cursor; it begins with its first use, so what only asks what there is costs nothing."""
        if not self.begun:
            self.begun = True
            self._memory.widen()
            self._idle_cursor.execute("BEGIN")
        return self._idle_cursor

    def schema_of(self, relation: RelationRef) -> TableSchema | None:
        """Return the columns of a relation, or None if it does not exist."""
        place = place_of(relation)
        if place not in self._schemas and (kind := self._kind(relation)):
            self._schemas[place] = describe(self._cursor, relation, kind)
        return self._schemas.get(place)

    def exists(self, relation: RelationRef) -> bool:
        """Say whether there is a table or view of this name."""
        return self._kind(relation) is not None

    def is_table(self, relation: RelationRef) -> bool:
        """Say whether the relation exists and is a table, not a view."""
        return self._kind(relation) == "table"

    def replace_view(self, relation: RelationRef, sql: str, run_clock: str) -> None:
        """Create or replace a view."""
        self._make_room(relation, becomes="view")
        self._rows(f"CREATE OR REPLACE VIEW {relation.sql} AS\n{bind_run_clock(sql, run_clock)}")

    def replace_table(self, relation: RelationRef, sql: str, run_clock: str) -> int:
        """Create or replace a table from a query and return its rows."""
        self._make_room(relation, becomes="table")
        [(rows,)] = self._rows(f"CREATE OR REPLACE TABLE {relation.sql} AS\n{bind_run_clock(sql, run_clock)}")
        return int(rows)

    def reshape(self, relation: RelationRef, schema: TableSchema) -> None:
        """Give a table these columns: a new one is NULL in its rows, a retyped one is cast."""
        there = self.schema_of(relation) or TableSchema(columns=())
        columns = ", ".join(increments.reshaped(there, column) for column in schema.columns)
        self._make_room(relation, becomes="table")
        self._rows(f"CREATE OR REPLACE TABLE {relation.sql} AS SELECT {columns} FROM {relation.sql}")

    def insert_query(
        self, relation: RelationRef, sql: str, run_clock: str, strategy: str, key: tuple[str, ...]
    ) -> int:
        """Add a query's rows to a table by `append`, `merge` or `delete+insert`; return them counted."""
        self._rows(f"CREATE TEMP TABLE osiris_increment AS\n{bind_run_clock(sql, run_clock)}")
        if strategy == "merge":
            increments.refuse_repeated(self._cursor, INCREMENT, key)
        return self._fold(relation, key if strategy != "append" else ())

    def begin_versions(self, relation: RelationRef, sql: str, run_clock: str, spec: SnapshotSpec) -> int:
        """Create a snapshot from the first versions that a query gives, and return how many."""
        count = self.replace_table(relation, sql, run_clock)
        versions.refuse_unfit(self._cursor, relation, spec)
        return count

    def keep_versions(
        self, relation: RelationRef, sql: str, run_clock: str, spec: SnapshotSpec
    ) -> dict[str, int]:
        """Bring a snapshot up to date; return the rows `inserted`, `updated` and `deleted`."""
        return versions.keep_versions(self._cursor, relation, sql, run_clock, spec)

    def begin_batches(self, relation: RelationRef, made_by: str) -> frozenset[str]:
        """Return the beginnings of the batches that are done; those made by anything else are dropped."""
        return batches.begin_batches(self, self._cursor, relation, made_by)

    def build_batch(
        self, relation: RelationRef, made_by: str, sql: str, instants: dict[str, str], event_time: str
    ) -> int:
        """Build one batch beside a table, note that it is done, and return its rows."""
        return batches.build_batch(self, self._cursor, relation, made_by, sql, instants, event_time)

    def fold_batches(self, relation: RelationRef, planned: Batches, *, anew: bool) -> int:
        """Put the rows of all batches into a table, those of the same stretch of time going."""
        return batches.fold_batches(self, self._cursor, relation, planned, anew=anew)

    def load_rows(
        self,
        relation: RelationRef,
        columns: tuple[Column, ...],
        rows: Rows,
        *,
        merge_key: tuple[str, ...] | None,
        progress: Callable[[int, int], None],
    ) -> int:
        """Write a source's rows, cast exactly: a new table, or merged by key into the one there."""
        declared = ", ".join(f"{quote_identifier(c.name)} {c.type}" for c in columns)
        if merge_key is None:
            self._make_room(relation, becomes="table")
            self._rows(f"CREATE OR REPLACE TABLE {relation.sql} ({declared})")
            return Arrival(rows, columns, progress).insert(self._cursor, relation)
        self._rows(f"CREATE TEMP TABLE osiris_increment ({declared})")
        Arrival(rows, columns, progress).insert(self._cursor, INCREMENT)
        increments.refuse_repeated(self._cursor, INCREMENT, merge_key)
        return self._fold(relation, merge_key)

    def _fold(self, relation: RelationRef, key: tuple[str, ...]) -> int:
        schema = self.schema_of(relation)
        return increments.fold_increment(self._cursor, relation, schema.names if schema else (), key)

    def maximum(self, relation: RelationRef, column: str) -> str | None:
        """Return the greatest value of a column as exact text, or None of no rows."""
        [(value,)] = self._rows(f"SELECT max({quote_identifier(column)})::VARCHAR FROM {relation.sql}")
        return value if value is None else str(value)

    def fingerprint(
        self, relation: RelationRef, *, columns: TableSchema | None = None, first: int | None = None
    ) -> DataFingerprint:
        """Return the identity of the rows of a relation: in some columns, or of a table's first rows."""
        schema = columns or self.schema_of(relation) or TableSchema(columns=())
        part = rows_of(relation, None if first is None else range(first))
        return fingerprint_rows(self._cursor, part, schema)

    def measure_tests(
        self, relation: RelationRef, tests: Sequence[PlannedTest], run_clock: str
    ) -> tuple[int, ...]:
        """Return the measure of each data test of a relation, from one scan if memory allows."""
        told = self.is_table, self._catalog.about(relation, self.changed), self._memory.widen

        def measure(cursor: Connection) -> tuple[int, ...]:
            return audit.measure_tests(cursor, relation, tests, run_clock, *told)

        seen = None if self.begun else self._memory.look(lambda: measure(self._idle_cursor))
        return measure(self._cursor) if seen is None else seen

    def run_test(
        self, test: PlannedTest, run_clock: str, sample: int, *, counted: int | None = None
    ) -> TestOutcome:
        """Count the offending rows of a data test, unless `counted`, and fetch the first ones as text."""
        if counted == 0:
            return TestOutcome(failures=0, sample=())
        return audit.run_test(self._cursor, test, run_clock, sample, counted)

    def spool_failures(self, test: PlannedTest, run_clock: str, path: Path) -> None:
        """Write the offending rows of a data test to a file that a rollback leaves there."""
        failures.spool_rows(self._cursor, audit.offending_rows(test, run_clock), path)

    def keep_failures(self, relation: RelationRef, path: Path) -> None:
        """Put the offending rows in a file into a table, in the place of older ones."""
        self._make_room(relation, becomes="table")
        failures.keep_rows(self._cursor, relation, path)

    def key_violations(self, relation: RelationRef, key: tuple[str, ...]) -> tuple[int, int]:
        """Return how many rows have a NULL in the key, and how many keys occur more than once."""
        return increments.key_violations(self._cursor, relation, key, is_table=self.is_table(relation))

    def spool(self, relation: RelationRef, spec: SpoolSpec, path: Path, part: range | None = None) -> int:
        """Write the rows of a relation, or a part of a table, to a spool file and return how many."""
        if spec.kind == "duckdb":
            self._spools[attach_spool(self._cursor, path)] = path
        return write_spool(self._cursor, rows_of(relation, part), spec, path, tuple(self._spools))

    def preview(self, sql: str, run_clock: str, limit: int) -> tuple[TableSchema, list[tuple[Any, ...]]]:
        """Return the first rows of a query in a total order, values as text."""
        return preview(self._cursor, bind_run_clock(sql, run_clock), limit)

    def drop(self, relation: RelationRef) -> None:
        """Drop a table or view, if it exists."""
        self._make_room(relation, becomes=None)

    def write_state(self, state: StepState) -> None:
        """Remember a step, in this transaction."""
        # An upsert costs DuckDB three times as much as either.
        node = state.step
        known = self.written[node] is not None if node in self.written else node in self._catalog.nodes
        self.written[node] = record = wire.to_json(state)
        change = "UPDATE osiris.state SET record = $2 WHERE node = $1"
        self._rows(change if known else "INSERT INTO osiris.state VALUES ($1, $2)", [node, record])

    def take_parcel(self, path: Path) -> None:
        """Take over the relations and states of a parcel, in the place of those here."""
        self._attached.append("osiris_parcel")
        take_parcel(self, self._cursor, path)

    def forget(self, node: str) -> None:
        """Remember nothing of a node, in this transaction."""
        self._rows("DELETE FROM osiris.state WHERE node = $1", [node])
        self.written[node] = None

    def release(self) -> None:
        """Let go of attached files, after the transaction has ended; spool files stand at their paths now."""
        for name, path in self._spools.items():
            seal_spool(self._cursor, name, path)
        for name in self._attached:
            self._cursor.execute(f"DETACH {name}")

    def _make_room(self, relation: RelationRef, *, becomes: Kind | None) -> None:
        if self.begun:
            self._rows(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(relation.schema)}")
        else:
            self._catalog.make_schema(relation.schema)
        kind = self._kind(relation)
        if kind and kind != becomes:
            self._rows(f"DROP {kind.upper()} {relation.sql}")
        self.changed[place_of(relation)] = becomes
        self._schemas.pop(place_of(relation), None)

    def _kind(self, relation: RelationRef) -> Kind | None:
        place = place_of(relation)
        return self.changed[place] if place in self.changed else self._catalog.kinds.get(place)

    def _rows(self, sql: str, parameters: list[str] | None = None) -> list[Any]:
        return self._cursor.execute(sql, parameters or []).fetchall()
