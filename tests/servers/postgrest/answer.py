"""What goes back to a client: rows, or an error as PostgREST words it (reference 5.3 and 5.4)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import psycopg2

_SERVER_SIDE = ("53400", "57014", "42P17", "21000", "40002")
_SERVER_CLASSES = ("54", "55", "XX", "09", "25", "2D", "38", "39", "3B", "58", "F0", "HV")


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class RestError(Exception):
    """An error body: `code` is PGRSTnnn or a SQLSTATE."""

    def __init__(
        self, status: int, code: str, message: str, details: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details, self.hint = status, code, message, details, hint
        self.headers: dict[str, str] = {}


class NotFoundError(RestError):
    """A table that the schema cache does not have: version 12 says only `{}`."""


def from_database(error: psycopg2.Error, role: str) -> RestError:
    said, code = error.diag, error.pgcode or "08006"
    message = said.message_primary or str(error).strip()
    status = status_of(code, message, anonymous=role == "anon")
    return RestError(status, code, message, said.message_detail, said.message_hint)


def status_of(code: str, message: str, *, anonymous: bool) -> int:
    if code == "42501":
        return 401 if anonymous else 403
    if code.startswith("PT") and code[2:].isdigit():
        return int(code[2:])
    exact = {"42P01": 404, "42883": 404, "25006": 405, "23503": 409, "23505": 409, "P0001": 400}
    if code in exact:
        return exact[code]
    if code == "21000" and message.endswith("requires a WHERE clause"):
        return 400
    if code.startswith(("28", "0L", "0P")):
        return 403
    if code in _SERVER_SIDE or code.startswith(_SERVER_CLASSES) or code.startswith("P0"):
        return 500
    return 503 if code.startswith(("08", "53")) or code == "57P01" else 400


def error_answer(error: RestError, *, version: int) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8", **error.headers}
    if isinstance(error, NotFoundError) and version < 13:
        return Answer(status=404, headers=headers, body=b"{}")
    if version >= 13:
        headers["Proxy-Status"] = f"PostgREST; error={error.code}"
    words = {"code": error.code, "details": error.details, "hint": error.hint, "message": error.message}
    return Answer(status=error.status, headers=headers, body=json.dumps(words).encode())


def gateway(message: str, hint: str | None = None) -> Answer:
    words = {"message": message, **({"hint": hint} if hint else {})}
    return Answer(status=401, headers={"Content-Type": "application/json"}, body=json.dumps(words).encode())
