"""Opens the warehouse and hands out transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from osiris_sql.engines.duckdb.batches import end_other_batches
from osiris_sql.engines.duckdb.catalog import Catalog
from osiris_sql.engines.duckdb.deferral import DEFERRED, attach_deferred, remove_copy, search_path
from osiris_sql.engines.duckdb.failure import explain_failure, explain_unopened
from osiris_sql.engines.duckdb.memory_limit import MemoryLimit
from osiris_sql.engines.duckdb.mirror import StateMirror, read_mirror
from osiris_sql.engines.duckdb.parcel import STATE_TABLE, list_parcel, stored_bytes, write_parcel
from osiris_sql.engines.duckdb.rest import note_rest
from osiris_sql.engines.duckdb.transaction import DuckDBTransaction
from osiris_sql.support import wire
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import RelationRef
from osiris_sql.types.settings import SETTINGS_SINCE_2

# Files in this format open in every DuckDB that we support; 2.0's own format does not open in 1.5.
STORAGE = "v1.5.0"

# What can only be chosen while the database is opened.
AT_OPEN = {
    "storage_compatibility_version": STORAGE,
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
}


class DuckDBEngine:
    """The warehouse held open for one run; every thread asks for a transaction of its own."""

    def __init__(self, warehouse: Path, settings: Mapping[str, str], *, read_only: bool) -> None:
        self._cursors: set[duckdb.DuckDBPyConnection] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._mirror: StateMirror | None = None
        self._search_path = ""
        self._warehouse = warehouse
        self._copy = warehouse.with_suffix(".deferred")
        if not read_only:
            warehouse.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = duckdb.connect(str(warehouse), read_only=read_only, config=dict(AT_OPEN))
            self._prepare(warehouse, settings, read_only=read_only)
            self._catalog = Catalog(self._connection)
            self._memory = MemoryLimit(self._connection, is_set="memory_limit" in settings)
        except (duckdb.Error, OSError) as error:
            raise explain_unopened(error, warehouse) from error
        if not read_only:
            self._mirror = StateMirror(warehouse, [record for _, record in self._records("osiris.state")])

    def _prepare(self, warehouse: Path, settings: Mapping[str, str], *, read_only: bool) -> None:
        spill = str(warehouse.with_suffix(".spill")).replace("'", "''")
        self._connection.execute(f"SET GLOBAL temp_directory = '{spill}'")
        for name, value in settings.items():
            if name in SETTINGS_SINCE_2 and duckdb.__version__.startswith("1."):
                continue
            text = value.replace("'", "''")
            self._connection.execute(f"SET GLOBAL {name} = '{text}'")
        if not read_only:
            self._connection.execute("CREATE SCHEMA IF NOT EXISTS osiris")
            self._connection.execute(STATE_TABLE)

    @contextmanager
    def transaction(self) -> Iterator[DuckDBTransaction]:
        """Open a transaction: commits when the block ends, rolls back when it raises.

        Raises StepError or CancelledError for what the engine refuses.
        """
        cursor = self._connection.cursor()
        if self._search_path:
            cursor.execute(self._search_path)
        with self._lock:
            self._cursors.add(cursor)
        opened = DuckDBTransaction(cursor, self._catalog, self._memory)
        try:
            yield opened
            if opened.begun:
                cursor.execute("COMMIT")
            self._catalog.absorb(opened.changed, opened.written)
            if self._mirror:
                self._mirror.append(opened.written)
            opened.release()
        except BaseException as error:
            with suppress(duckdb.Error):
                cursor.execute("ROLLBACK")
            with suppress(duckdb.Error):
                opened.release()
            if isinstance(error, duckdb.Error):
                raise explain_failure(error) from error
            raise
        finally:
            with self._lock:
                self._cursors.discard(cursor)
            cursor.close()

    def read_state(self) -> dict[str, StepState]:
        """Return what the warehouse remembers, by node."""
        return {node: wire.from_json(StepState, record) for node, record in self._records("osiris.state")}

    def defer(self, warehouse: Path) -> dict[str, StepState]:
        """Let queries read relations of another warehouse where this one lacks them; return its state."""
        attach_deferred(self._connection, warehouse, self._copy)
        found = self._connection.execute(
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? AND NOT internal", [DEFERRED]
        ).fetchall()
        schemas = [name for (name,) in found if name != "osiris"]
        for name in schemas:
            self._catalog.make_schema(name)
        [(own,)] = self._connection.execute("SELECT current_database()").fetchall()
        self._search_path = search_path(own, schemas)
        return {n: wire.from_json(StepState, r) for n, r in self._records(f"{DEFERRED}.osiris.state")}

    def _records(self, table: str) -> list[tuple[str, str]]:
        cursor = self._connection.cursor()
        try:
            return cursor.execute(f"SELECT node, record FROM {table} ORDER BY node").fetchall()
        except duckdb.CatalogException:
            return []
        finally:
            cursor.close()

    def stored_bytes(self, relations: Iterable[RelationRef]) -> dict[RelationRef, int]:
        """Return about how many bytes each relation takes: 0 for a view; what is not there is left out."""
        cursor = self._connection.cursor()
        try:
            tables, views = list_parcel(cursor, relations)
            return {**{table: stored_bytes(cursor, table) for table in tables}, **dict.fromkeys(views, 0)}
        finally:
            cursor.close()

    def write_parcel(
        self,
        path: Path,
        relations: Sequence[RelationRef],
        states: Iterable[StepState],
        empty: Iterable[RelationRef] = (),
    ) -> None:
        """Write a new warehouse with these relations and states alone, and the columns of `empty` ones; a
        view comes after its inputs."""
        cursor = self._connection.cursor()
        try:
            write_parcel(cursor, path, relations, states, empty, STORAGE)
        except duckdb.Error as error:
            raise explain_failure(error) from error
        finally:
            cursor.close()

    def drop_batches(self, keep: Iterable[RelationRef]) -> list[str]:
        """Drop the batches that stopped runs left of any other model; return the names of those models."""
        with self.transaction() as transaction:
            return end_other_batches(transaction, self._catalog.kinds, keep)

    @staticmethod
    def read_mirror(warehouse: Path) -> dict[str, StepState]:
        """Return what the warehouse remembered at the last commit, without opening it."""
        return read_mirror(warehouse)

    def interrupt(self) -> None:
        """Stop all running queries, from another thread."""
        with self._lock:
            for cursor in self._cursors:
                cursor.interrupt()

    def close(self) -> None:
        """Let go of the warehouse."""
        if not self._closed:
            self._closed = True
            self._connection.close()
            if self._mirror:
                self._mirror.close()
                note_rest(self._warehouse, self._catalog)
            remove_copy(self._copy)
