"""An HTTP proxy that forwards, and keeps what it was asked for."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP = {"connection", "transfer-encoding", "keep-alive", "proxy-connection", "content-length"}


@contextmanager
def forwarding_proxy() -> Iterator[tuple[str, list[str]]]:
    """Serve until the block ends; yields the proxy's URL and the list of calls that it saw."""
    seen: list[str] = []

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """The list keeps it all."""

        def _forward(self) -> None:
            seen.append(f"{self.command} {self.path.split('?')[0]}")
            target = urlsplit(self.path)
            body = self._body()
            connection = http.client.HTTPConnection(target.hostname, target.port)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            path = target.path + (f"?{target.query}" if target.query else "")
            connection.request(self.command, path, body, headers)
            answer = connection.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            # Either side may leave a stream in the middle.
            with suppress(OSError, http.client.HTTPException):
                while data := answer.read1(1 << 16):
                    self.wfile.write(data)
                    self.wfile.flush()
            connection.close()
            self.close_connection = True

        def do_CONNECT(self) -> None:
            """Refuse what would be hidden from us, once it has said where it wants to go."""
            seen.append(f"CONNECT {self.path}")
            self.send_error(502)

        do_GET = do_POST = do_PUT = do_DELETE = _forward  # noqa: N815 - names of the standard library

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                found = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
