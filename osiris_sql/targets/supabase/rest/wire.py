"""Requests to the REST API: sent again where that is right, errors as one noun."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from osiris_sql.targets.supabase.backoff import pause
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.rest.values import read_json
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, UnreachableError

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 5
SILENCE = 90.0  # seconds without a byte: applying takes 55 of them at most
_BUSY = {429, 502, 503, 504}
_TRANSIENT = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03"}
COUNTED = "return=minimal,count=exact"
Progress = Callable[[int, str], None]


class RestError(Exception):
    """What the API answered instead of rows; `status` 0 means that no answer came.

    `row` says which row it is about, once that was found out; `kept`, that earlier requests of the same
    delivery have changed the table.
    """

    row, kept = "", False

    def __init__(self, status: int, said: dict[str, Any], text: str = "") -> None:
        self.status, self.code = status, str(said.get("code") or "")
        self.message = str(said.get("message") or text or f"HTTP status {status}")
        self.details, self.hint = said.get("details"), said.get("hint")
        super().__init__(self.message)

    @property
    def passing(self) -> bool:
        """Whether a later attempt may succeed."""
        return not self.status or self.status in _BUSY or self.code in _TRANSIENT

    @property
    def too_much(self) -> bool:
        """Whether half of it may succeed."""
        return self.status == 413 or self.code == "57014"


@dataclass(frozen=True)
class Reply:
    """The value of the body, and the count of `Content-Range` where it was asked for."""

    data: Any
    count: int | None


class Rest:
    """One `supabase` client of one project; its session, address and headers send every request.

    Raises UnreachableError for an address or key that the client refuses.
    """

    def __init__(self, options: SupabaseOptions, stop: Event) -> None:
        import httpx
        import supabase

        assert options.secret_key is not None
        self._stop, self._schema = stop, options.schema
        session = httpx.Client(timeout=httpx.Timeout(SILENCE, connect=options.connect_timeout))
        # No login is kept or refreshed, and what may be sent again is decided here alone.
        settings = supabase.ClientOptions(
            httpx_client=session,
            schema=options.schema,
            auto_refresh_token=False,
            persist_session=False,
            postgrest_client_retry=False,
        )
        try:
            self._client = supabase.create_client(
                options.url, options.secret_key.reveal(), settings
            ).postgrest
        except supabase.SupabaseException as error:
            why, fix = str(error), 'url: "https://<ref>.supabase.co", with the secret key of that project'
            message = "the supabase client refuses url or secret_key"
            wrong = Diagnostic(rule="wrong-address", message=message, why=why, fix=fix)
            raise UnreachableError(wrong) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.aclose()

    def pause(self, seconds: float) -> None:
        """Wait, or return at once when publishing is interrupted."""
        self._stop.wait(seconds)

    def call(self, function: str, arguments: dict[str, Any] | bytes, progress: Progress | None = None) -> Any:
        """Return what one of osiris-sql's functions returns; each may be called again.

        Bytes go to a function of one text as they are: nobody on the way reads them.
        """
        raw = isinstance(arguments, bytes)
        body = arguments if isinstance(arguments, bytes) else json.dumps(arguments).encode()
        path, kind = f"/rpc/{function}", "text/plain" if raw else "application/json"
        return self.ask("POST", path, body=body, kind=kind, schema="public", progress=progress).data

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        kind: str = "application/json",
        prefer: str = "",
        accept: str = "*/*",
        schema: str = "",
        progress: Progress | None = None,
        parameters: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request that may be repeated; raises RestError after the last attempt."""
        profile = schema or self._schema
        headers = {
            "accept-profile": profile,
            "content-profile": profile,
            "prefer": prefer,
            "content-type": kind,
            "accept": accept,
        }
        for attempt in range(1, ATTEMPTS + 1):
            if self._stop.is_set():
                raise CancelledError(Diagnostic(rule="cancelled", message="publishing was interrupted"))
            try:
                return self._once(method, path, body, headers, parameters)
            except RestError as error:
                if attempt == ATTEMPTS or not error.passing:
                    raise
            delay = pause(attempt)
            if progress:
                progress(0, f"attempt {attempt} failed, trying again in {delay:.1f} s")
            self._stop.wait(delay)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, method: str, path: str, body: bytes, headers: dict[str, str], parameters: dict[str, str] | None
    ) -> Reply:
        import httpx

        try:
            # Bodies go out as the engine wrote them: the client's own builders take Python values only.
            done = self._client.session.request(
                method,
                f"{self._client.base_url}{path}",
                content=body,
                headers={**self._client.headers, **headers},
                params=parameters,
            )
        except httpx.TransportError as error:
            raise RestError(0, {}, f"{type(error).__name__}: {error}") from None
        if done.status_code >= 400:
            raise RestError(done.status_code, _said(done))
        total = done.headers.get("Content-Range", "").partition("/")[2]
        return Reply(
            read_json(done.content) if done.content else None, int(total) if total.isdigit() else None
        )


def _said(done: httpx.Response) -> dict[str, Any]:
    # A gateway answers in HTML: then the status alone tells.
    try:
        found = done.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def project_of(url: str) -> str:
    """Return the reference of the project behind a URL, or "" where Supabase does not host it."""
    host = urlsplit(url).hostname or ""
    return host.removesuffix(".supabase.co") if host.endswith(".supabase.co") else ""


def api_identity(url: str) -> str:
    """Return what identifies the project behind a URL, the same as its Postgres connection has."""
    project = project_of(url)
    return f"supabase:{project}/postgres" if project else f"rest:{urlsplit(url).netloc}"
