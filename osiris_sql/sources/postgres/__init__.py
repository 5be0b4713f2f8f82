"""Source type `postgres`: tables of PostgreSQL and Supabase, all as of one instant, every value exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from osiris_sql.protocols import DiscoveredTable, EncodedRows, ProbeResult, Snapshot, TableRead
from osiris_sql.sources._outside import outside_snapshot
from osiris_sql.sources._probe import one_row
from osiris_sql.sources.postgres.options import PostgresOptions
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, OsirisError
from osiris_sql.types.observed import ObservedSource

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812


class PostgresSource:
    """Reads over psycopg2; each verb opens its own connection, `snapshot` one for all of its tables."""

    Options: ClassVar[type] = PostgresOptions

    def __init__(self, options: PostgresOptions, root: Path) -> None:
        import psycopg2

        from osiris_sql.sources.postgres.connect import parse_parameters

        self._error: type[psycopg2.Error] = psycopg2.Error
        self._options = options
        self._parameters = parse_parameters(options)
        self._lock = Lock()
        self._open: list[Connection] = []
        self._interrupted = False

    def endpoint(self) -> str:
        """Return host, port, database and schema, as the connection string says them."""
        given = self._parameters
        host, port = given.get("host", "localhost"), given.get("port", "5432")
        return f"postgres://{host}:{port}/{given.get('dbname', '')}/{self._options.schema}"

    def probe(self) -> ProbeResult:
        """Connect and say what answered, and which tables no snapshot can hold still."""
        from osiris_sql.sources.postgres.catalog import foreign_tables
        from osiris_sql.sources.postgres.connect import query

        with self._connection("the server's version") as connection:
            [(version, user)] = query(connection, "SELECT version(), current_user")
            outside = foreign_tables(connection, self._options.schema)
            tls = bool(connection.info.ssl_in_use)
        facts = {"user": user, "tls": "on" if tls else "off", "schema": self._options.schema}
        return ProbeResult(server=version, facts=facts, warnings=_warn_outside(outside))

    def discover(self, identifiers: Sequence[str] | None) -> list[DiscoveredTable]:
        """Return the named tables and views of the schema, or all; absent names are left out."""
        from osiris_sql.sources.postgres.catalog import discover_tables

        with self._connection("the catalog") as connection:
            return discover_tables(connection, self._options.schema, identifiers)

    def probe_change(self, tables: Mapping[str, str]) -> list[ObservedSource]:
        """Return no tokens: PostgreSQL has no mark of change that is both cheap and safe."""
        return [ObservedSource(node=node) for node in tables]

    def ask(self, probes: Mapping[str, tuple[str, str]]) -> dict[str, tuple[Any, ...] | OsirisError]:
        """Return what expressions over tables come to, `{node: (identifier, expressions)}`."""
        from psycopg2.extensions import quote_ident

        def answer(connection: Connection, table: str, expressions: str) -> tuple[Any, ...] | OsirisError:
            place = f"{quote_ident(self._options.schema, connection)}.{quote_ident(table, connection)}"
            with connection.cursor() as cursor:
                cursor.execute("SAVEPOINT probe")
                try:
                    cursor.execute(f"SELECT {expressions} FROM {place} LIMIT 2")
                    return one_row(cursor.fetchall(), table)
                except self._error as error:
                    cursor.execute("ROLLBACK TO probe")
                    return self._explain(error, f"the probe of table {table}")

        with self._connection("probes") as connection:
            return {node: answer(connection, *probe) for node, probe in probes.items()}

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open one instant of all tables."""
        from osiris_sql.sources.postgres.connect import query

        with self._connection("a snapshot") as connection:
            # The first query of the transaction is what fixes the instant.
            [(position,)] = query(connection, "SELECT txid_current_snapshot()::text")
            reading = _Snapshot(self, connection, f"snapshot {position}")
            try:
                yield reading
            finally:
                reading.close()

    def interrupt(self) -> None:
        """Cancel what every connection is doing, and begin nothing else."""
        self._interrupted = True
        with self._lock:
            running = list(self._open)
        for connection in running:
            with suppress(self._error):
                connection.cancel()

    def stream(self, connection: Connection, request: TableRead) -> EncodedRows:
        """Return the rows asked for, streaming."""
        from osiris_sql.sources.postgres.reading import read_table

        if self._interrupted:
            raise _cancelled()  # there was nothing to cancel between two reads
        what = f"table {request.identifier}"
        try:
            return read_table(connection, self._options.schema, request, lambda e: self._explain(e, what))
        except self._error as error:
            raise self._explain(error, what) from error

    @contextmanager
    def _connection(self, what: str) -> Iterator[Connection]:
        from osiris_sql.sources.postgres.connect import connected

        if self._interrupted:
            raise _cancelled()
        with connected(self._options, self._parameters) as connection:
            with self._lock:
                self._open.append(connection)
            try:
                yield connection
            except self._error as error:
                raise self._explain(error, what) from error
            finally:
                with self._lock:
                    self._open.remove(connection)

    def _explain(self, error: Any, what: str) -> OsirisError:
        from osiris_sql.sources.postgres.connect import explain_failure

        if self._interrupted:
            return _cancelled()
        return explain_failure(error, self._options, what)


class _Snapshot:
    def __init__(self, source: PostgresSource, connection: Connection, position: str) -> None:
        self.position: str | None = position
        self._source = source
        self._connection = connection
        self._reading: EncodedRows | None = None

    def read(self, request: TableRead) -> EncodedRows:
        self.close()
        self._reading = self._source.stream(self._connection, request)
        return self._reading

    def close(self) -> None:
        """Give up the read that is under way, if any, so that the connection is free."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.batches.close()  # type: ignore[attr-defined]  # a generator


def _warn_outside(tables: Sequence[str]) -> tuple[Diagnostic, ...]:
    why = "they are foreign tables: another server keeps their rows"
    return outside_snapshot(tables, why, "read them from that server, as a source of its own")


def _cancelled() -> CancelledError:
    return CancelledError(Diagnostic(rule="interrupted", message="reading from PostgreSQL was interrupted"))


PLUGIN = PostgresSource
