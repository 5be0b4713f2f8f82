"""The target: a DuckDB file that opens in every DuckDB since 1.5."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec
from osiris_sql.support.one_line import one_line
from osiris_sql.targets._connections import OpenConnections
from osiris_sql.targets._difference import find_difference
from osiris_sql.targets._modes import mode_mistakes, raise_all
from osiris_sql.targets._rows import locked, number
from osiris_sql.types.diagnostic import UnreachableError
from osiris_sql.types.difference import Difference
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, TableSchema, quote_identifier

if TYPE_CHECKING:
    import duckdb

# Files of 2.0's own format don't open in 1.5.
CONFIG = {"storage_compatibility_version": "v1.5.0"}

# DuckDB allows one writing process; inside it, one delivery into a file at a time.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True, kw_only=True)
class DuckDBOptions:
    """Options of a DuckDB target: `path` of the file, relative to the project; made if missing."""

    path: str
    memory_limit: str = "256MB"


class DuckDBFile:
    """Delivers to tables of one DuckDB file."""

    Options: ClassVar[type] = DuckDBOptions

    def __init__(self, options: DuckDBOptions, root: Path) -> None:
        self._options, self._path = options, root / options.path
        self._connections = OpenConnections(options.memory_limit)

    def endpoint(self) -> str:
        """Return the path as the project says it."""
        return f"duckdb:{self._options.path}"

    def probe(self) -> ProbeResult:
        """Open the file, if it is there."""
        import duckdb

        facts = {"path": self._options.path, "exists": "yes" if self._path.exists() else "not made yet"}
        if self._path.exists():
            try:
                with self._connected() as cursor:
                    facts["tables"] = str(number(cursor, "SELECT count(*) FROM duckdb_tables()"))
            except duckdb.Error as error:
                raise UnreachableError(locked(self._options.path, one_line(error))) from None
        return ProbeResult(server=f"DuckDB {duckdb.__version__}", facts=facts)

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the table as it is now, with everything that keeps the publication from arriving."""
        from osiris_sql.targets.duckdb import delivery, ledger

        columns: tuple[Column, ...] = ()
        latest = None
        if self._path.exists():
            with self._explained(publication), self._connected() as cursor:
                columns = delivery.read_columns(cursor, publication)
                if columns and ledger.ledger_exists(cursor):
                    table = delivery.table_name(publication)
                    rows = number(cursor, f"SELECT count(*) FROM {table}")
                    latest = ledger.latest_load(cursor, table, publication.mode, rows)
                    if publication.series:
                        latest = ledger.latest_of_series(cursor, table, publication.series) or latest
        return ObservedTarget(
            node=publication.node,
            schema=TableSchema(columns=columns) if columns else None,
            kind="table" if columns else "absent",
            latest_load=latest,
            diagnostics=(*mode_mistakes(publication), *delivery.table_mistakes(publication, columns)),
        )

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the table's last load is that one: observing has counted its rows."""
        return self.observe(publication).latest_load == load_id

    def compare(self, publication: Publish, load: Load, samples: int) -> Difference:
        """Return what delivering the spool file would change; a file that is not there is not made."""
        from osiris_sql.targets.duckdb import delivery

        raise_all(mode_mistakes(publication))
        table, config = delivery.table_name(publication), {**CONFIG, "access_mode": "read_only"}
        if not self._path.exists():
            return Difference(inserted=load.rows)
        opened = self._connections.connected(str(self._path), config)
        with self._explained(publication), opened as cursor, self._attached(cursor, load) as spool:
            columns = delivery.read_columns(cursor, publication)
            raise_all(delivery.table_mistakes(publication, columns))
            old = table if columns else f"(SELECT * FROM {spool} LIMIT 0)"
            return find_difference(cursor, publication, old, spool, samples)

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return a DuckDB file: every type arrives as it is."""
        raise_all(mode_mistakes(publication))
        return SpoolSpec(
            kind="duckdb", projection=tuple(quote_identifier(c.name) for c in publication.columns)
        )

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Deliver the spool file in one transaction; what is returned was read on a new connection."""
        from osiris_sql.targets.duckdb import delivery, ledger

        raise_all(mode_mistakes(publication))
        table = delivery.table_name(publication)
        with _locks[str(self._path.resolve())], self._explained(publication), self._removed_if_new():
            progress(0, f"applying {publication.mode}")
            with self._connected() as cursor:
                seq = self._deliver(cursor, publication, load)
            progress(load.rows, "reading back")
            with self._connected() as cursor:
                if seq is not None:
                    return ledger.read_delivery(cursor, seq, table)
                total = number(cursor, f"SELECT count(*) FROM {table}")
        return Published(sent=0, total_after=total, already_published=True)

    def interrupt(self) -> None:
        """Stop the running statement; its transaction rolls back."""
        self._connections.interrupt()

    def _deliver(self, cursor: duckdb.DuckDBPyConnection, publication: Publish, load: Load) -> int | None:
        from osiris_sql.targets.duckdb.delivery import deliver

        with self._attached(cursor, load) as spool:
            try:
                cursor.execute("BEGIN")
                seq = deliver(cursor, publication, load, spool)
                cursor.execute("COMMIT")
            except BaseException:
                # the transaction may be gone already; the first error is the one to show
                with suppress(Exception):
                    cursor.execute("ROLLBACK")
                raise
        return seq

    def _connected(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._connections.connected(str(self._path), CONFIG)

    def _explained(self, publication: Publish) -> AbstractContextManager[None]:
        return self._connections.explained(publication, self._options.path)

    @contextmanager
    def _attached(self, cursor: duckdb.DuckDBPyConnection, load: Load) -> Iterator[str]:
        """Open the spool file; yields its table as it stands in FROM."""
        alias, place = f"spool_{uuid.uuid4().hex}", str(load.path).replace("'", "''")
        cursor.execute(f"ATTACH '{place}' AS {alias} (READ_ONLY)")
        try:
            yield f"{alias}.main.spool"
        finally:
            cursor.execute(f"DETACH {alias}")

    @contextmanager
    def _removed_if_new(self) -> Iterator[None]:
        existed = self._path.exists()
        try:
            yield
        except BaseException:
            if not existed:
                self._path.unlink(missing_ok=True)
                self._path.with_name(self._path.name + ".wal").unlink(missing_ok=True)
            raise
