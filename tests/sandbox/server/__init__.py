"""A server of E2B's REST API and of envd, for the real SDK: real processes in a throw-away folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sandbox.server.faults import Faults
from sandbox.server.sandboxes import Sandboxes
from sandbox.server.transcript import Transcript
from sandbox.server.wire import Wire

API_KEY = "e2b_" + "0123456789abcdef" * 3


class E2BServer(ThreadingHTTPServer):
    """One port for the control plane and the edge: with the header `E2b-Sandbox-Id` it is the edge."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Wire)
        self.api_key = API_KEY
        self.faults = Faults()
        self.templates = {"base", "osiris-test"}
        self.builds: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, bytes] = {}
        self.transcript = Transcript()
        self.sandboxes = Sandboxes(folder)

    @property
    def url(self) -> str:
        """Where the API and the sandboxes answer."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; anything else is a bug of this server."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError | ValueError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def e2b_server(folder: Path) -> Iterator[E2BServer]:
    """Serve until the block ends; then every sandbox is killed and its processes are gone."""
    server = E2BServer(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        server.sandboxes.close()
        thread.join()
