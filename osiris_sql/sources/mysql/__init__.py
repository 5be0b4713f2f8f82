"""Source type `mysql`: tables of MySQL and MariaDB, all as of one instant, every value exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from osiris_sql.protocols import DiscoveredTable, ProbeResult, Snapshot
from osiris_sql.sources._probe import one_row
from osiris_sql.sources.mysql import options as mysql_options
from osiris_sql.sources.mysql.options import Ssl
from osiris_sql.types.diagnostic import (
    CancelledError,
    Diagnostic,
    OsirisError,
    ProjectError,
    UnreachableError,
)
from osiris_sql.types.observed import ObservedSource

if TYPE_CHECKING:
    from osiris_sql.sources.mysql.connect import Connection

KILL_SECONDS = 3
ONE = "one connection (`connections: 1`)"


class MysqlSource:
    """Reads over pymysql; each verb opens its own connection, `snapshot` one for all of its tables."""

    Options: ClassVar[type] = mysql_options.Options
    FILTERS: ClassVar[bool] = True

    def __init__(self, options: mysql_options.Options, root: Path) -> None:
        import pymysql

        self._driver_error: type[Exception] = pymysql.MySQLError
        self._options = _checked(options)
        self._root = root
        self._lock = Lock()
        self._open: list[Connection] = []
        self._interrupted = False

    def endpoint(self) -> str:
        """Return host, port, database and the server's own id."""
        with self._connection("the server's identity") as connection:
            options = self._options
            return f"mysql://{options.host}:{options.port}/{options.database}#{_server_id(connection)}"

    def probe(self) -> ProbeResult:
        """Connect and say what answered, and which tables no snapshot can hold still."""
        from osiris_sql.sources.mysql.catalog import engines_without_snapshot, warn_outside
        from osiris_sql.sources.mysql.connect import query

        with self._connection("the server's version") as connection:
            [(version, user)] = query(connection, "SELECT VERSION(), CURRENT_USER()")
            [(_, cipher)] = query(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            outside = engines_without_snapshot(connection, self._options.database)
        facts = {"user": user, "tls": cipher or "off", "database": self._options.database}
        return ProbeResult(server=version, facts=facts, warnings=warn_outside(outside))

    def discover(self, identifiers: Sequence[str] | None) -> list[DiscoveredTable]:
        """Return the named tables and views of the database, or all; absent names are left out."""
        from osiris_sql.sources.mysql.catalog import discover_tables

        with self._connection("information_schema") as connection:
            return discover_tables(connection, self._options.database, identifiers)

    def probe_change(self, tables: Mapping[str, str]) -> list[ObservedSource]:
        """Return how each table will be read, and no tokens: MySQL has no mark of change that is both cheap
        and safe."""
        names = [*tables.values()]
        several = self._options.connections > 1
        readings = self._foretell(names) if several else dict.fromkeys(names, ONE)
        return [ObservedSource(node=n, reading=readings.get(i, "")) for n, i in tables.items()]

    def _foretell(self, names: Sequence[str]) -> dict[str, str]:
        from osiris_sql.sources.mysql.instant import why_alone
        from osiris_sql.sources.mysql.ranges import foretell_ranges

        options = self._options
        with self._connection("how tables can be read") as connection:
            if why := why_alone(connection, options.snapshot):
                return dict.fromkeys(names, f"one connection: {why}")
            said = foretell_ranges(connection, options.database, names, options.connections)
        proof = ", if they prove to see one instant" if options.snapshot == "consistent" else ""
        return {name: f"{how}{proof}" if "ranges" in how else how for name, how in said.items()}

    def ask(self, probes: Mapping[str, tuple[str, str]]) -> dict[str, tuple[Any, ...] | OsirisError]:
        """Return what expressions over tables come to, `{node: (identifier, expressions)}`."""
        from osiris_sql.sources.mysql.connect import query
        from osiris_sql.sources.mysql.encode import quote_name

        def answer(connection: Connection, table: str, expressions: str) -> tuple[Any, ...] | OsirisError:
            place = f"{quote_name(self._options.database)}.{quote_name(table)}"
            try:
                return one_row(query(connection, f"SELECT {expressions} FROM {place} LIMIT 2"), table)
            except self._driver_error as error:
                return self._explain(error, f"the probe of table {table}")

        with self._connection("probes") as connection:
            return {node: answer(connection, *probe) for node, probe in probes.items()}

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open one instant of all tables (or none, under `snapshot: none`)."""
        from osiris_sql.sources.mysql.instant import begin_instant
        from osiris_sql.sources.mysql.snapshot import MysqlSnapshot

        with ExitStack() as stack:
            count = max(self._options.connections, 1)
            connections = [stack.enter_context(self._connection("a snapshot")) for _ in range(count)]
            opened = MysqlSnapshot(
                begin_instant(connections, self._options.snapshot),
                self._options.database,
                explain=self._explain,
                kill_query=self._kill_query,
            )
            try:
                yield opened
            finally:
                opened.close()

    def interrupt(self) -> None:
        """Cut every connection at once, and ask the server to end what they were doing."""
        self._interrupted = True
        with self._lock:
            cut = list(self._open)
        for connection in cut:
            _cut(connection)
        for connection in cut:
            # The cut alone frees us; a server that can't be asked notices it by itself, later.
            with suppress(OsirisError, self._driver_error):
                self._kill("CONNECTION", connection)

    @contextmanager
    def _connection(self, what: str) -> Iterator[Connection]:
        from osiris_sql.sources.mysql.connect import connect

        if self._interrupted:
            raise _cancelled()
        connection = connect(self._options, self._root)
        with self._lock:
            self._open.append(connection)
        try:
            yield connection
        except self._driver_error as error:
            raise self._explain(error, what) from error
        finally:
            with self._lock:
                self._open.remove(connection)
            # Closing the socket is enough: a polite goodbye can only fail on a broken connection.
            connection._force_close()  # type: ignore[attr-defined]

    def _explain(self, error: Exception, what: str) -> OsirisError:
        from osiris_sql.sources.mysql.failure import explain_failure

        return _cancelled() if self._interrupted else explain_failure(error, self._options, what)

    def _kill_query(self, connection: Connection) -> None:
        # Without it the rest of the result is read and thrown away, which is slow but right.
        with suppress(UnreachableError, self._driver_error):
            self._kill("QUERY", connection)

    def _kill(self, scope: str, connection: Connection) -> None:
        from osiris_sql.sources.mysql.connect import connect, query

        second = connect(self._options, self._root, timeout=KILL_SECONDS)
        try:
            number = connection.thread_id()  # type: ignore[no-untyped-call]
            query(second, f"KILL {scope} {number}")
        finally:
            second.close()


def _checked(options: mysql_options.Options) -> mysql_options.Options:
    choices = {"ssl": (*get_args(Ssl), None), "snapshot": ("consistent", "lock", "none")}
    wrong = [
        Diagnostic(
            rule="bad-option",
            message=f'a mysql connection has no {name} "{getattr(options, name)}"',
            fix=f"choose one of: {', '.join(c for c in allowed if c)}",
        )
        for name, allowed in choices.items()
        if getattr(options, name) not in allowed
    ]
    if wrong:
        raise ProjectError(*wrong)
    return options


def _server_id(connection: Connection) -> str:
    """What tells this server from a copy of it: its UUID, or on old MariaDB its name and number."""
    from osiris_sql.sources.mysql.connect import query

    names = "'server_uuid', 'server_uid', 'server_id', 'hostname'"
    rows = query(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    variables: dict[str, str] = dict(rows)
    own = variables.get("server_uuid") or variables.get("server_uid")
    return str(own or f"{variables.get('hostname')}:{variables.get('server_id')}")


def _cut(connection: Connection) -> None:
    import socket

    wire = connection._sock  # type: ignore[attr-defined]
    with suppress(OSError, AttributeError):  # closed already
        # Not wire.shutdown: under TLS that would pull the rug from under the thread that reads.
        socket.socket.shutdown(wire, socket.SHUT_RDWR)


def _cancelled() -> CancelledError:
    return CancelledError(Diagnostic(rule="interrupted", message="reading from MySQL was interrupted"))


PLUGIN = MysqlSource
