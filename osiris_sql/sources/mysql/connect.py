"""Opens connections: TLS, timeouts, and settings that make the server answer the same everywhere."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pymysql

from osiris_sql.sources.mysql.failure import explain_unreachable
from osiris_sql.sources.mysql.options import Options
from osiris_sql.types.diagnostic import Diagnostic, UnreachableError

Connection: TypeAlias = "pymysql.Connection[Any]"
if TYPE_CHECKING:
    Driver = pymysql.Connection[Any]
else:
    Driver = pymysql.Connection
ALL_ROWS = 2**64 - 1
SLOW_READER = 3600
"""Seconds that the server waits for us while DuckDB is busy; its default of 60 would cut us off."""


class QuickConnection(Driver):
    """A connection of pymysql that reads the machine's authorities only where they are asked for."""

    def _create_ssl_ctx(self, given: Any) -> ssl.SSLContext:
        return given or _trusting()


def connect(options: Options, root: Path, *, timeout: int | None = None) -> Connection:
    """Return an open connection with our settings; raises UnreachableError."""
    tls = _tls_arguments(options, root)
    try:
        connection = _driver(options)(
            host=options.host,
            port=options.port,
            user=options.user,
            password=options.password.reveal() if options.password else "",
            database=options.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=timeout or options.connect_timeout or 31536000,
            read_timeout=timeout or options.read_timeout or None,
            write_timeout=timeout or options.read_timeout or None,
            program_name="osiris-sql",
            **tls,
        )
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        raise explain_unreachable(error, options) from error
    try:
        _demand_tls(connection, options)
        _apply_settings(connection, options)
    except pymysql.MySQLError as error:
        connection.close()
        raise explain_unreachable(error, options) from error
    except UnreachableError:
        connection.close()
        raise
    return connection


def query(connection: Connection, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Run a statement and return all of its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return list(cursor.fetchall())


def is_mariadb(connection: Connection) -> bool:
    """Say whether the server is MariaDB and not MySQL."""
    return "mariadb" in connection.get_server_info().lower()  # type: ignore[no-untyped-call]


def _driver(options: Options) -> type[Connection]:
    if not options.compress:
        return QuickConnection
    from osiris_sql.sources.mysql.compressed import CompressedConnection

    return CompressedConnection


def _tls_arguments(options: Options, root: Path) -> dict[str, Any]:
    if options.tls == "disabled":
        return {"ssl_disabled": True}
    if options.tls == "preferred":
        return {}
    return {"ssl": _trusting() if options.tls == "required" else _trusted(options, root)}


def _trusting() -> ssl.SSLContext:
    """What speaks TLS with anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusted(options: Options, root: Path) -> ssl.SSLContext:
    if options.ssl_ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(root / options.ssl_ca))
    except OSError as error:  # also what OpenSSL says of a file that is no certificate
        raise UnreachableError(
            Diagnostic(
                rule="tls-failed",
                message=f"the certificate authority {options.ssl_ca} can't be read",
                why=str(error),
                fix="`ssl_ca` names a PEM file, relative to the root of the project",
            )
        ) from error


def _demand_tls(connection: Connection, options: Options) -> None:
    if options.tls not in {"verify", "required"}:
        return
    [(_, cipher)] = query(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    if not cipher:
        raise UnreachableError(
            Diagnostic(
                rule="tls-failed",
                message=f"{options.host} talks without TLS, which `ssl: {options.tls}` demands",
                fix="turn TLS on at the server, or say `ssl: preferred` if you trust the network",
            )
        )


def _apply_settings(connection: Connection, options: Options) -> None:
    settings = [
        "time_zone = '+00:00'",
        "sql_mode = ''",
        f"sql_select_limit = {ALL_ROWS}",
        f"net_write_timeout = {SLOW_READER}",
        f"wait_timeout = {SLOW_READER}",
        "transaction_isolation = 'REPEATABLE-READ'",
    ]
    if options.read_timeout:
        settings.append(f"lock_wait_timeout = {options.read_timeout}")
    if is_mariadb(connection):
        settings[5] = "tx_isolation = 'REPEATABLE-READ'"
        settings.append(f"max_statement_time = {options.statement_timeout}")
    else:
        settings.append(f"max_execution_time = {options.statement_timeout * 1000}")
    query(connection, "SET " + ", ".join(f"SESSION {setting}" for setting in settings))
