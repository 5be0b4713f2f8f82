"""A TCP proxy that looks at each block of bytes, and hangs up in the place of one."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self


class LineProxy:
    """Forwards to a port of this machine while it is entered; each kind says what it looks for."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.port = self._listener.getsockname()[1]

    def passes_up(self, block: bytes) -> bool:
        """Whether what the client sends goes on to the server."""
        raise NotImplementedError

    def passes_down(self, block: bytes) -> bool:
        """Whether what the server answers goes on to the client."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._sockets:
            _hang_up(line)
        for thread in self._threads:
            thread.join()
        for line in self._sockets:
            line.close()

    def _start(self, run: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=run, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # until the listener is shut down
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                self._start(_forward, client, server, self.passes_up)
                self._start(_forward, server, client, self.passes_down)


def _forward(source: socket.socket, sink: socket.socket, passes: Callable[[bytes], bool]) -> None:
    with contextlib.suppress(OSError):
        while (block := source.recv(65536)) and passes(block):
            sink.sendall(block)
    _hang_up(sink)


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have done it
        line.shutdown(socket.SHUT_RDWR)
