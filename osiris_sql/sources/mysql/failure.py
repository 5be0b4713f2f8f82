"""What the server's and the driver's errors mean to the person at the keyboard."""

from __future__ import annotations

import pymysql
from pymysql.constants import CR, ER

from osiris_sql.sources.mysql.options import Options
from osiris_sql.support.secrets import Redactor, secret_values
from osiris_sql.types.diagnostic import Diagnostic, OsirisError, StepError, UnreachableError

QUERY_TIMEOUTS = frozenset({ER.STATEMENT_TIMEOUT, ER.QUERY_TIMEOUT})
NO_PRIVILEGE = frozenset({ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR})
LOST = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, 0})
SNAPSHOT_GONE = 1412
NO_PASSWORD_LOGIN = 1698
TLS_FAILED = ("tls-failed", "see the option `ssl`, and `ssl_ca` for an authority of your own")
DOWN = ("server-down", "check host and port, that the server runs, and that no firewall is in between")
UNREACHABLE = {
    ER.ACCESS_DENIED_ERROR: ("access-denied", "check user and password, and from where the user may connect"),
    NO_PASSWORD_LOGIN: ("access-denied", "this user can't log in with a password over TCP"),
    ER.DBACCESS_DENIED_ERROR: ("access-denied", "grant the user SELECT on the database"),
    ER.BAD_DB_ERROR: ("unknown-database", "check the name of the database"),
    ER.CON_COUNT_ERROR: ("too-many-connections", "try again later, or raise max_connections on the server"),
    ER.USER_LIMIT_REACHED: ("too-many-connections", "try again later, or raise the limits of the user"),
    ER.TOO_MANY_USER_CONNECTIONS: ("too-many-connections", "try again later, or raise the user's limit"),
    ER.HOST_NOT_PRIVILEGED: ("access-denied", "allow this machine to connect as that user"),
    ER.HOST_IS_BLOCKED: ("access-denied", "run FLUSH HOSTS on the server"),
    CR.CR_SSL_CONNECTION_ERROR: TLS_FAILED,
}


def explain_unreachable(error: Exception, options: Options) -> UnreachableError:
    """Return what to raise when no connection came about."""
    code, text = error_parts(error, options)
    about_tls = "certificate" in text.lower() or "SSL" in text
    rule, fix = UNREACHABLE.get(code, TLS_FAILED if about_tls else DOWN)
    return UnreachableError(
        Diagnostic(
            rule=rule,
            message=f"can't connect to {place(options)} as {options.user}",
            why=text,
            fix=fix,
        )
    )


def explain_failure(error: Exception, options: Options, what: str) -> OsirisError:
    """Return what to raise when reading `what` failed on an open connection."""
    code, text = error_parts(error, options)
    if code in LOST:
        return UnreachableError(
            Diagnostic(
                rule="connection-lost",
                message=f"the connection to {place(options)} was lost while reading {what}",
                why=text,
                fix=f"build again; read_timeout allows {options.read_timeout} seconds of silence",
            )
        )
    rule, fix = "source-failed", ""
    if code in NO_PRIVILEGE:
        rule, fix = "access-denied", f"grant the user {options.user} SELECT on it"
    elif code in QUERY_TIMEOUTS:
        rule, fix = "timeout", f"raise statement_timeout (now {options.statement_timeout} seconds, 0 is none)"
    elif code == SNAPSHOT_GONE:
        rule, fix = "table-changed", "its definition changed after the snapshot was taken: build again"
    return StepError(Diagnostic(rule=rule, message=f"reading {what} failed", why=text, fix=fix))


def error_parts(error: Exception, options: Options) -> tuple[int, str]:
    """Return the error's number (0 without one) and the server's message, without secrets."""
    redact = Redactor(secret_values(options))
    match error.args:
        case (int(code), text, *_) if isinstance(error, pymysql.MySQLError):
            return code, redact(f"{text} (error {code})")
        case _:
            return 0, redact(str(error) or type(error).__name__)


def place(options: Options) -> str:
    """Return the server and database for messages."""
    return f"the MySQL server {options.host}:{options.port}, database {options.database}"
