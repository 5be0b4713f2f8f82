"""What the server refused, in the words of the person at the keyboard; and what may be tried again."""

import re
from typing import NamedTuple

import psycopg2

from osiris_sql.support.one_line import one_line
from osiris_sql.support.secrets import Redactor
from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.connect import TransientError
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.plan import Publish

_TRANSIENT = {"57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03"}
# Constraints, values, what a function raises, policies: all that is wrong with one row; and what is raised by
# the search for that row, when it has found it.
OF_A_ROW = ("22", "23", "P0", "42501")
FOUND = "OS004"
_FUNCTION = re.compile(r"PL/pgSQL function .+? line \d+")
_COPY_VALUE = re.compile(r'COPY .+?, line (\d+), column (.+?)(?:: (".*"|null input))?$', re.DOTALL)


class _Meaning(NamedTuple):
    rule: str
    message: str
    fix: str = ""


_CONSTRAINTS = {
    "23502": _Meaning("null-violation", "a NOT NULL column would be NULL", "deliver the column, or relax it"),
    "23503": _Meaning("foreign-key-violation", "a foreign key would break", "publish the other table first"),
    "23505": _Meaning(
        "unique-violation", "a unique constraint would break", "make the rows unique there, or key: by it"
    ),
    "23514": _Meaning("check-violation", "a check constraint would break", "correct the rows in the model"),
    "P0001": _Meaning(
        "raised-in-database",
        "a trigger or function in the database refused the rows",
        "do what it says, or correct the rows in the model",
    ),
    "23P01": _Meaning("exclusion-violation", "an exclusion constraint would break"),
    "21000": _Meaning("duplicate-key", "a key occurs twice in the rows", "make the model's key unique"),
    "57014": _Meaning("statement-cancelled", "the statement was cancelled by a timeout or a person"),
    "26000": _Meaning("pooler-lost-statement", "the pooler lost a prepared statement"),
    "42P10": _Meaning("no-unique-constraint", "no unique constraint fits the key"),
    "42P01": _Meaning("unknown-table", "a table is gone"),
    "42703": _Meaning("unknown-column", "a column is gone"),
    "42701": _Meaning("ambiguous-column", "two column names are equal in their first 63 bytes"),
    "428C9": _Meaning("identity-column", "a generated column can't be written", "leave it out of the model"),
    "OS001": _Meaning("rows-not-written", "the counts differ from what was promised", "look for a trigger"),
    "OS002": _Meaning("value-does-not-fit", "values don't fit exactly", "round them, or widen the column"),
    "OS003": _Meaning(
        "too-many-deleted", "too many rows would be deleted", "raise max_deleted if it is true"
    ),
    "53100": _Meaning("disk-full", "the server's disk is full", "free or buy disk space there"),
    "25006": _Meaning(
        "read-only-database", "the database is read-only", "a full disk or a replica does that"
    ),
}


def is_transient(error: Exception) -> bool:
    """Say whether the same delivery may be tried again on a new connection."""
    if isinstance(error, TransientError):
        return True
    if not isinstance(error, psycopg2.Error):
        return False
    if error.pgcode is None:  # the driver has no SQLSTATE only when the link is gone
        return type(error) in (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.DatabaseError)
    return error.pgcode in _TRANSIENT or error.pgcode.startswith("08")


_REFERENCED = _Meaning(
    "foreign-key-violation",
    "rows that would go are still referenced by another table",
    "publish that table first, or use mode upsert, which deletes nothing",
)


class Said(NamedTuple):
    """What the server said, whichever way it came."""

    code: str
    message: str
    detail: str | None = None
    hint: str | None = None
    place: str = ""
    where: str = ""


def explain(error: psycopg2.Error, publication: Publish, redact: Redactor, row: str = "") -> Diagnostic:
    """Return the diagnostic of a server's error: constraint, key and first offending row, secrets masked."""
    said = error.diag
    function = _FUNCTION.search(said.context or "")
    words = Said(
        code=error.pgcode or "",
        message=said.message_primary or one_line(error) or "the connection was lost",
        detail=said.message_detail,
        hint=said.message_hint,
        place="; ".join(filter(None, [row, function and function[0]])),
        where=said.context or "",
    )
    return explain_words(words, publication, redact)


def explain_words(
    said: Said, publication: Publish, redact: Redactor, end: str = "nothing was changed"
) -> Diagnostic:
    """Return the diagnostic of what a server said, secrets masked; `end` says how it left the table."""
    facts = (said.place, said.message, said.detail, said.hint)
    made = _meaning(said.code, said.message, said.where, publication)
    code = f" (SQLSTATE {said.code})" if said.code else ""
    why = redact("; ".join(fact for fact in facts if fact) + code)
    fixed = redact(made.message)
    return refusal(publication, made.rule, f"{fixed}; {end}", why=why, fix=made.fix)


def _meaning(code: str, message: str, where: str, publication: Publish) -> _Meaning:
    if code == "23503" and message.startswith("update or delete"):
        return _REFERENCED
    if code in _CONSTRAINTS:
        return _CONSTRAINTS[code]
    if code.startswith("22"):
        return _bad_value(where)
    if "row-level security" in message:
        return _Meaning(
            "row-security", "a row-level security policy refuses a row", "publish as a role that bypasses it"
        )
    if code == "42501":
        return _Meaning("missing-privilege", "the role may not do this", _grants(message, publication))
    if code in _TRANSIENT or not code or code.startswith("08"):
        return _Meaning("connection-lost", "the delivery failed each time", "try again; it is safe to repeat")
    return _Meaning("database-error", "the database refused the rows")


def _bad_value(where: str) -> _Meaning:
    fix = "cast or clean it in the model, or widen the column"
    if place := _COPY_VALUE.search(where):
        text = f"row {place[1]}: the value {place[3] or ''} does not fit the column {place[2]}"
        return _Meaning("value-does-not-fit", text, fix)
    return _Meaning("value-does-not-fit", "a value does not fit its column", fix)


def _grants(message: str, publication: Publish) -> str:
    if "osiris" in message or "publications" in message:
        return (
            "run as the database's owner once, or: GRANT USAGE ON SCHEMA osiris TO <role>; "
            "GRANT SELECT, INSERT ON osiris.publications TO <role>"
        )
    return f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{publication.table}" TO <role>'
