"""SQL over HTTP: the Management API of Supabase, or another service that runs a posted query.

It makes and alters tables and installs the functions; rows never travel this way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from osiris_sql.targets.supabase.backoff import pause
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.rest.wire import ATTEMPTS, RestError, project_of
from osiris_sql.types.diagnostic import CancelledError, Diagnostic

if TYPE_CHECKING:
    import httpx

_MANAGEMENT = "https://api.supabase.com/v1/projects/{}/database/query"
_SQLSTATE = re.compile(r"ERROR:\s+([0-9A-Z]{5}): ")


def sql_address(options: SupabaseOptions) -> str:
    """Return where SQL may be posted to, or "" if nothing is configured."""
    if options.sql_url:
        return options.sql_url
    project = project_of(options.url)
    return _MANAGEMENT.format(project) if options.access_token and project else ""


class SqlEndpointError(RestError):
    """What the SQL endpoint answered instead of rows."""


class SqlEndpoint:
    """Runs SQL over HTTP; the statements of one request are one transaction."""

    def __init__(self, options: SupabaseOptions, stop: Event) -> None:
        import httpx

        token = options.access_token.reveal() if options.access_token else ""
        self._stop, self._address = stop, sql_address(options)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(90, connect=options.connect_timeout),
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def run(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of the last statement that has some; raises RestError.

        What may have happened although no answer came is not sent again, unless it was refused for a
        while: so the caller looks at what is there.
        """
        for attempt in range(1, ATTEMPTS + 1):
            if self._stop.is_set():
                raise CancelledError(Diagnostic(rule="cancelled", message="publishing was interrupted"))
            try:
                return self._once(sql)
            except RestError as error:
                if attempt == ATTEMPTS or error.status not in (429, 503):
                    raise
            self._stop.wait(pause(attempt))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, sql: str) -> list[dict[str, Any]]:
        import httpx

        try:
            done = self._client.post(self._address, json={"query": sql})
        except httpx.TransportError as error:
            raise SqlEndpointError(0, {}, f"{type(error).__name__}: {error}") from None
        if done.status_code >= 400:
            raise _refused(done)
        rows: list[dict[str, Any]] = done.json()
        return rows

    def fetch(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query that changes nothing, asked again after a lost answer."""
        try:
            return self.run(sql)
        except RestError as error:
            if not error.passing:
                raise
        return self.run(sql)


def _refused(done: httpx.Response) -> SqlEndpointError:
    try:
        body = done.json()
    except ValueError:
        body = {}
    said = body if isinstance(body, dict) else {}
    message = str(said.get("message") or said.get("error") or "")
    state = _SQLSTATE.search(message)
    code = said.get("code") or (state[1] if state else "")
    return SqlEndpointError(done.status_code, {"code": code, "message": message})


class HttpCursor:
    """As much of a database cursor as reading the catalog takes; every statement is its own transaction."""

    def __init__(self, endpoint: SqlEndpoint) -> None:
        self._endpoint = endpoint
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> None:
        """Run a query with its values written into it."""
        if isinstance(values, Mapping):
            sql = sql % {name: literal(value) for name, value in values.items()}
        elif values:
            sql = sql % tuple(literal(value) for value in values)
        self._rows = [tuple(row.values()) for row in self._endpoint.fetch(sql)]

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the first row, if there is one."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return self._rows


def literal(value: object) -> str:
    """Return a text or whole number as it stands in SQL, whatever the server's settings say."""
    if isinstance(value, int):
        return str(value)
    return "E'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"
