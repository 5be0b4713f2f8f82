"""A PostgREST over a real PostgreSQL, with the gateway in front of it (reference 5).

One transaction a request, logged in as `authenticator`: grants, row-level security, triggers and
constraints are PostgreSQL's own.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg2
from servers.postgrest import management, reads, writes
from servers.postgrest.answer import Answer, RestError, error_answer, from_database, gateway
from servers.postgrest.call import Call
from servers.postgrest.faults import Fault, Faults, fault_answer
from servers.postgrest.query import read_prefer
from servers.postgrest.schema_cache import CachedFunction, SchemaCache

SECRET_KEY = "sb_secret_Zq1Tn6bR_8fK0p2Wy"
PUBLISHABLE_KEY = "sb_publishable_4Jm3xV_1aQ9"
_ROLES = {SECRET_KEY: "service_role", PUBLISHABLE_KEY: "anon"}


@dataclass
class Knobs:
    """What a test may set: rows of one page, the body's limit, the version whose words are used."""

    max_rows: int = 1000
    max_body: int | None = None
    version: int = 12
    schemas: tuple[str, ...] = ("public", "graphql_public")


@dataclass
class PostgrestServer:
    """A running server; `seen` lists method and target of every request."""

    dsn: str
    owner: str
    cache: SchemaCache
    knobs: Knobs
    faults: Faults = field(default_factory=Faults)
    seen: list[tuple[str, str]] = field(default_factory=list)
    lines: set[socket.socket] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sql_url(self) -> str:
        return f"{self.url}{management.PATH}"


class _Dropped(Exception):  # noqa: N818 (no error: the test asked for it)
    """The line is cut without an answer."""


class RestRequest(BaseHTTPRequestHandler):
    """One client connection, with one database connection of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body of an answer are two packets
    postgrest: PostgrestServer

    def setup(self) -> None:
        super().setup()
        self._database: Any = None
        self.postgrest.lines.add(self.connection)

    def finish(self) -> None:
        self.postgrest.lines.discard(self.connection)
        if self._database is not None:
            self._database.close()
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.postgrest.seen.append((self.command, self.path))
        try:
            answer = self._answer(body)
        except _Dropped:
            self.close_connection = True
            return
        self._send(answer)

    do_HEAD = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 (the names are the protocol's)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        body = b"" if self.command == "HEAD" else answer.body
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, body: bytes) -> Answer:
        fault = self.postgrest.faults.take(self.command, self.path)
        if fault and (said := self._before(fault)):
            return said
        if self.path == management.PATH:
            answer = management.run_query(self.postgrest.owner, self.headers.get("Authorization") or "", body)
            return self._after(fault, answer)
        role = self._role()
        if isinstance(role, Answer):
            return role
        limit = self.postgrest.knobs.max_body
        if limit is not None and len(body) > limit:
            return Answer(status=413, headers={"Content-Type": "text/html"}, body=b"<html>too large</html>")
        try:
            answer = self._transact(role, body)
        except RestError as error:
            answer = error_answer(error, version=self.postgrest.knobs.version)
        except psycopg2.Error as error:
            answer = error_answer(from_database(error, role), version=self.postgrest.knobs.version)
        return self._after(fault, answer)

    def _after(self, fault: Fault | None, answer: Answer) -> Answer:
        if fault and fault.what == "delay after":
            time.sleep(fault.seconds)
        if fault and fault.what == "drop after":
            if fault.act:
                fault.act()
            raise _Dropped
        return answer

    def _before(self, fault: Fault) -> Answer | None:
        if fault.act and fault.what != "drop after":
            fault.act()
        if fault.what == "delay before":
            time.sleep(fault.seconds)
        if fault.what == "drop before":
            raise _Dropped
        return fault_answer(fault)

    def _role(self) -> str | Answer:
        key = self.headers.get("apikey")
        if key is None:
            return gateway("No API key found in request")
        if key not in _ROLES:
            hint = "Double check your Supabase `anon` or `service_role` API key."
            return gateway("Invalid API key", hint)
        return _ROLES[key]

    def _transact(self, role: str, body: bytes) -> Answer:
        prefer = read_prefer(self.headers.get_all("Prefer") or [])
        place = urlsplit(self.path)
        parts = [_decoded(part) for part in place.path.removeprefix("/rest/v1/").split("/")]
        if not place.path.startswith("/rest/v1/") or len(parts) > (2 if parts[0] == "rpc" else 1):
            return Answer(status=404, headers={"Content-Type": "application/json"}, body=b"{}")
        if self._database is None:
            self._database = psycopg2.connect(self.postgrest.dsn)
        with self._database, self._database.cursor() as cursor:
            call = Call(
                method=self.command,
                schema=self._schema(),
                name=parts[-1],
                parameters=parse_qsl(place.query, keep_blank_values=True),
                prefer=prefer,
                accept=self.headers.get("Accept", ""),
                content_type=self.headers.get("Content-Type", ""),
                body=body,
                cache=self.postgrest.cache,
                cursor=cursor,
                max_rows=self.postgrest.knobs.max_rows,
            )
            function = reads.find_function(call) if len(parts) == 2 else None
            _become(cursor, role, function)
            return reads.call_function(call, function) if function else _STATEMENTS[self.command](call)

    def _schema(self) -> str:
        header = "Accept-Profile" if self.command in ("GET", "HEAD") else "Content-Profile"
        exposed = self.postgrest.knobs.schemas
        schema = self.headers.get(header) or exposed[0]
        if schema not in exposed:
            words = f"The schema must be one of the following: {', '.join(exposed)}"
            raise RestError(406, "PGRST106", words)
        return schema


_STATEMENTS = {
    "GET": reads.select,
    "HEAD": reads.select,
    "POST": writes.insert,
    "PATCH": writes.update,
    "DELETE": writes.delete,
}


def _decoded(part: str) -> str:
    return parse_qsl(f"x={part.replace('+', '%2B')}", keep_blank_values=True)[0][1]


def _become(cursor: Any, role: str, function: CachedFunction | None) -> None:
    """SET ROLE does not load the role's settings, so those of the roles and the function are set here."""
    if function and function.read_only:
        cursor.execute("SET TRANSACTION READ ONLY")
    cursor.execute("SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = %s", (role,))
    settings = [*(row[0] for row in cursor.fetchall()), *(function.settings if function else ())]
    cursor.execute("SET LOCAL search_path TO public, extensions")
    cursor.execute(f"SET LOCAL ROLE {role}")
    cursor.execute("SELECT set_config('request.jwt.claims', %s, true)", (json.dumps({"role": role}),))
    for name, _, value in (setting.partition("=") for setting in settings):
        if name in ("statement_timeout", "lock_timeout"):
            cursor.execute("SELECT set_config(%s, %s, true)", (name, value))


@contextmanager
def running_postgrest(dsn: str, **knobs: Any) -> Iterator[PostgrestServer]:
    """Start a server over the database that `authenticator` reaches with `dsn`.

    Its SQL endpoint runs queries as the `owner` of the database.
    """
    owner, delay = knobs.pop("owner", ""), knobs.pop("reload_delay", 0.1)
    made = Knobs(**knobs)
    cache = SchemaCache(dsn, made.schemas, delay)
    server = PostgrestServer(dsn, owner, cache, made)
    listener = ThreadingHTTPServer(("127.0.0.1", 0), type("Request", (RestRequest,), {"postgrest": server}))
    listener.daemon_threads = False
    server.port = listener.server_address[1]
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        for line in list(server.lines):
            with suppress(OSError):  # the client may have hung up
                line.shutdown(socket.SHUT_RDWR)
        listener.server_close()
        thread.join()
        cache.close()
