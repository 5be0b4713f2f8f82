"""Opens connections and transactions that are legal on direct, session- and transaction-pooler endpoints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extensions import parse_dsn

from osiris_sql.support.one_line import one_line
from osiris_sql.support.secrets import Redactor, secret_values
from osiris_sql.targets.supabase.endpoint import (
    NOT_REACHED,
    Endpoint,
    endpoint_mistakes,
    host_families,
    read_endpoint,
    unreachable,
)
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.watchdog import BeatingCursor, watched
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, UnreachableError

# Sorts and joins of a delivery get more than the 4 MB of a default server, for its transaction alone.
_PINNED = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "5min",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "work_mem": "32MB",
}
_FINAL = {"login-refused", "options-through-pooler", "no-tls", "bad-certificate", "unknown-database"}


class TransientError(UnreachableError):
    """The server can't be reached now; a later attempt may succeed."""


class NotReachedError(TransientError):
    """Nothing answered: no address, no route, nobody there, or a firewall."""


def parse_options(options: SupabaseOptions) -> tuple[Endpoint, dict[str, str], Redactor]:
    """Return endpoint, connection parameters and the masking of their secrets; raises ProjectError."""
    assert options.dsn is not None  # else the target chooses the other channel
    try:
        parameters: dict[str, str] = parse_dsn(options.dsn.reveal())
    except psycopg2.ProgrammingError as error:
        raise ProjectError(_bad_dsn(options.dsn.reveal())) from error.with_traceback(None)
    endpoint = read_endpoint(parameters)
    if found := endpoint_mistakes(endpoint, parameters):
        raise ProjectError(*found)
    return endpoint, parameters, Redactor([*secret_values(options), parameters.get("password", "")])


def _bad_dsn(text: str) -> Diagnostic:
    fix = "copy it from Connect → Session pooler; special characters of the password are %-encoded"
    if "pgbouncer=" in text:
        fix = "take ?pgbouncer=true out of it: that is for another program"
    return Diagnostic(rule="bad-dsn", message="dsn is not a Postgres connection string", fix=fix)


def connect(endpoint: Endpoint, parameters: dict[str, str], options: SupabaseOptions) -> Connection:
    """Return an open connection in autocommit; raises UnreachableError, TransientError if it may pass."""
    settings: dict[str, Any] = {
        "connect_timeout": options.connect_timeout,
        "application_name": options.application_name,
        "client_encoding": "utf8",
        "keepalives": 1,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        **parameters,
    }
    if endpoint.project:
        settings.setdefault("sslmode", "require")
    try:
        made: Connection = psycopg2.connect(**settings)
    except psycopg2.OperationalError as error:
        text = Redactor([parameters.get("password", "")])(one_line(error))
        found = unreachable(endpoint, text, host_families(endpoint.host))
        reached = UnreachableError if found.rule in _FINAL else TransientError
        raise (NotReachedError if found.rule in NOT_REACHED else reached)(found) from None
    made.autocommit = True  # so that BEGIN and COMMIT stand in our own words, and SET never leaks
    return made


@contextmanager
def transaction(
    made: Connection, options: SupabaseOptions, ask: Callable[[], Connection], *, read_only: bool = False
) -> Iterator[Cursor]:
    """Open a transaction with pinned settings: commits when the block ends, rolls back when it raises.

    `ask` opens another connection, for the watchdog.
    """
    cursor = made.cursor(cursor_factory=BeatingCursor)
    cursor.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED READ {'ONLY' if read_only else 'WRITE'}")
    try:
        # One statement for all: each would cost a round trip. Local, so that nothing leaks through a pooler.
        pinned = {**_PINNED, "lock_timeout": f"{int(options.lock_timeout)}s"}
        calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in pinned.items())
        cursor.execute(f"SELECT pg_backend_pid(), {calls}")
        pid = int((cursor.fetchone() or (0,))[0])
        with watched(cursor, pid, ask, options.watchdog):
            yield cursor
            cursor.execute("COMMIT")
    except BaseException:
        with suppress(psycopg2.Error):
            cursor.execute("ROLLBACK")
        raise
