"""One HTTP connection: reads requests, routes them, frames answers by hand."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from sandbox.server import control, edge
from sandbox.server.transcript import Tapped

if TYPE_CHECKING:
    from sandbox.server import E2BServer


class CutError(ConnectionError):
    """The connection is cut on purpose."""


class Wire(BaseHTTPRequestHandler):
    """HTTP/1.1, kept alive."""

    protocol_version = "HTTP/1.1"
    server: E2BServer
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Tap both directions."""
        super().setup()
        self.rfile = Tapped(self.rfile, self.server.transcript)  # type: ignore[assignment]
        self.wfile = Tapped(self.wfile, self.server.transcript)  # type: ignore[assignment]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
        """The transcript keeps it all."""

    def _serve(self) -> None:
        split = urlsplit(self.path)
        self.route, self.query = split.path, {k: v[0] for k, v in parse_qs(split.query).items()}
        self._mark(f"{self.command} {self.route}")
        self.server.transcript.begin(f"{self.command} {self.route}")
        self._body_left: Iterator[bytes] | None = None
        self._cut = self.server.faults.next_cut(self.path)
        self._sent = 0
        try:
            (edge if self.headers.get("E2b-Sandbox-Id") else control).serve(self, self.server)
        except CutError:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        self._mark("")

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names of the standard library

    def _mark(self, call: str) -> None:
        self.rfile.call = call  # type: ignore[attr-defined]
        self.wfile.call = call  # type: ignore[attr-defined]

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes, chunked or by its length."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            data = self.rfile.read(min(left, 1 << 16))
            if not data:
                raise CutError("the client went away")
            left -= len(data)
            yield data

    def body(self) -> bytes:
        """Return the whole body."""
        return b"".join(self.pieces())

    def json_body(self) -> dict[str, Any]:
        """Return the body as a JSON object."""
        found: dict[str, Any] = json.loads(self.body() or b"{}")
        return found

    def answer(
        self,
        status: int,
        body: bytes | object = b"",
        *,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a whole answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self._send(data)

    def fail(self, status: int, message: str, *, error_code: str = "", **headers: str) -> None:
        """Send an error as strict clients want it."""
        body = {"code": status, "message": message, **({"error_code": error_code} if error_code else {})}
        self.answer(status, body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def begin_stream(self, kind: str) -> None:
        """Begin a chunked answer."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_piece(self, data: bytes) -> None:
        """Send and flush one chunk."""
        self._send(b"%x\r\n" % len(data) + data + b"\r\n")

    def end_stream(self) -> None:
        """End a chunked answer."""
        self._send(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close the connection without another word."""
        raise CutError

    def client_left(self) -> bool:
        """Say whether the other side closed the connection."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def _send(self, data: bytes) -> None:
        if self._cut and self._sent + len(data) > self._cut.after:
            self.wfile.write(data[: self._cut.after - self._sent])
            self.wfile.flush()
            self.cut()
        self._sent += len(data)
        self.wfile.write(data)
        self.wfile.flush()
