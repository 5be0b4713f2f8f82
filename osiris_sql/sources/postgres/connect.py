"""Opens connections that see one instant and can write nothing, direct or through any pooler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import parse_dsn

from osiris_sql.sources.postgres.options import PostgresOptions
from osiris_sql.support.one_line import one_line
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.diagnostic import Diagnostic, OsirisError, ProjectError, StepError, UnreachableError

LOOPBACK = ("localhost", "127.0.0.1", "::1", "/")
SUPABASE = (".supabase.co", ".supabase.com", ".supabase.in", ".supabase.red")
SYSTEM_ROOTS = 160000
"""The version of libpq that first knew the certificates that the machine trusts."""

PINNED = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "standard_conforming_strings": "on",
    # A policy that hides rows must be an error: they would be missing without a word.
    "row_security": "off",
    "idle_in_transaction_session_timeout": "0",
}
REFUSED = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "not permitted")
FIXES = {
    "42P01": "check `identifier` and `schema` in sources.yml, and the environment",
    "42501": "GRANT SELECT on the table to the user; one with row level security needs BYPASSRLS",
    "42703": "if the table changed, run: osiris-sql discover",
    "57014": "raise statement_timeout of the connection (0 is none), or read less",
    "55P03": "somebody alters the table: build again later, or raise lock_timeout",
}


def parse_parameters(options: PostgresOptions) -> dict[str, str]:
    """Return the parts of the connection string, `sslmode` among them; raises ProjectError."""
    try:
        parameters: dict[str, str] = parse_dsn(options.dsn.reveal())
    except psycopg2.ProgrammingError as error:
        raise ProjectError(
            Diagnostic(
                rule="bad-dsn",
                message="dsn is not a PostgreSQL connection string",
                fix="such as postgresql://user:password@host:5432/database, special characters %-encoded",
            )
        ) from error.with_traceback(None)
    host = parameters.get("host", "localhost")
    if host.startswith(LOOPBACK):
        return {"sslmode": "prefer", **parameters}
    if host.endswith(SUPABASE) or psycopg2.__libpq_version__ < SYSTEM_ROOTS:
        return {"sslmode": "require", **parameters}
    if "sslmode" in parameters:
        return parameters
    return {"sslmode": "verify-full", "sslrootcert": "system", **parameters}


@contextmanager
def connected(options: PostgresOptions, parameters: Mapping[str, str]) -> Iterator[Connection]:
    """Open a connection inside a read-only transaction of one instant, which ends with it."""
    settings: dict[str, Any] = {
        "connect_timeout": options.connect_timeout,
        "application_name": "osiris-sql",
        "client_encoding": "utf8",
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        **parameters,
    }
    redactor = Redactor([options.dsn.reveal(), parameters.get("password", "")])
    try:
        connection: Connection = psycopg2.connect(**settings)
    except psycopg2.OperationalError as error:
        raise _unreachable(parameters, redactor(one_line(error))) from None
    try:
        connection.autocommit = True  # BEGIN stands in our own words, and SET LOCAL leaks through no pooler
        with connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            timeouts = {
                "statement_timeout": f"{options.statement_timeout}s",
                "lock_timeout": f"{options.lock_timeout}s",
            }
            calls = ", ".join(
                f"set_config('{name}', '{value}', true)" for name, value in {**PINNED, **timeouts}.items()
            )
            cursor.execute(f"SELECT {calls}")
        yield connection
    finally:
        connection.close()


def query(connection: Connection, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
    """Run a statement and return all of its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def explain_failure(error: psycopg2.Error, options: PostgresOptions, what: str) -> OsirisError:
    """Return what to raise for an error of the server while `what` was read."""
    text = Redactor([options.dsn.reveal()])(one_line(error))
    if error.pgcode is None or error.pgcode.startswith(("08", "57P")):
        return UnreachableError(
            Diagnostic(
                rule="connection-lost",
                message=f"the connection to PostgreSQL was lost while {what} was read",
                why=text,
                fix="build again: nothing was half written",
            )
        )
    return StepError(
        Diagnostic(
            rule="source-failed",
            message=f"PostgreSQL could not read {what}",
            why=text,
            fix=FIXES.get(error.pgcode, ""),
        )
    )


def _unreachable(parameters: Mapping[str, str], why: str) -> UnreachableError:
    place = f"{parameters.get('host', 'localhost')}:{parameters.get('port', '5432')}"
    rule, fix = "server-down", "check host, port and network, then try again"
    if any(words in why for words in REFUSED):
        rule, fix = "access-denied", "check user and password in the dsn, and what pg_hba.conf allows"
    elif "SSL" in why or "certificate" in why:
        rule, fix = "tls-failed", "name the authority by sslrootcert in the dsn, or choose another sslmode"
    elif 'database "' in why:
        rule, fix = "unknown-database", "check the name of the database in the dsn"
    return UnreachableError(
        Diagnostic(rule=rule, message=f"can't connect to PostgreSQL at {place}", why=why, fix=fix)
    )
