"""The target: a DuckDB file that opens in every DuckDB since 1.5."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec
from osiris_sql.targets._modes import mode_mistakes, raise_all
from osiris_sql.targets._rows import explain_failure, locked, number
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, UnreachableError
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, TableSchema, quote_identifier

if TYPE_CHECKING:
    import duckdb

# Files of 2.0's own format don't open in 1.5.
CONFIG = {"storage_compatibility_version": "v1.5.0", "autoinstall_known_extensions": "false"}

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
        self._open: set[Any] = set()
        self._stop = threading.Event()

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
                raise UnreachableError(locked(self._options.path, " ".join(str(error).split()))) from None
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
        return Published(sent=0, total_after=total, channel="duckdb", already_published=True)

    def interrupt(self) -> None:
        """Stop the running statement; its transaction rolls back."""
        self._stop.set()
        for connection in list(self._open):
            connection.interrupt()

    def _deliver(self, cursor: duckdb.DuckDBPyConnection, publication: Publish, load: Load) -> int | None:
        from osiris_sql.targets.duckdb.delivery import deliver

        alias = f"spool_{uuid.uuid4().hex}"
        place = str(load.path).replace("'", "''")
        cursor.execute(f"ATTACH '{place}' AS {alias} (READ_ONLY)")
        try:
            cursor.execute("BEGIN")
            seq = deliver(cursor, publication, load, f"{alias}.main.spool")
            cursor.execute("COMMIT")
        except BaseException:
            with suppress(
                Exception
            ):  # the transaction may be gone already; the first error is the one to show
                cursor.execute("ROLLBACK")
            raise
        finally:
            cursor.execute(f"DETACH {alias}")
        return seq

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(self._path), config=dict(CONFIG))
        self._open.add(connection)
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SET memory_limit = '{self._options.memory_limit}'")
            yield connection
        finally:
            self._open.discard(connection)
            connection.close()

    @contextmanager
    def _explained(self, publication: Publish) -> Iterator[None]:
        import duckdb

        try:
            yield
        except (duckdb.Error, OSError) as error:
            if self._stop.is_set():
                cancelled = Diagnostic(rule="cancelled", message="publishing was interrupted")
                raise CancelledError(cancelled) from None
            raise explain_failure(error, publication, self._options.path) from None

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
