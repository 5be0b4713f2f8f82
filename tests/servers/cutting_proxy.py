"""A TCP proxy that cuts the line once, at the moment a test chooses."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


class CuttingProxy:
    """Forwards to a port; after the client's `word` it waits for the answer, and hangs up in its place."""

    def __init__(self, port: int, word: bytes) -> None:
        self._port, self._word, self.cuts = port, word, 0
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def close(self) -> None:
        for opened in self._sockets:
            _hang_up(opened)
        for thread in self._threads:
            thread.join()
        for opened in self._sockets:
            opened.close()

    def _start(self, run: Callable[..., None], *args: socket.socket) -> None:
        self._threads.append(threading.Thread(target=run, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # until the listener is shut down
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [client, server]
                self._start(self._forward, client, server)
                self._start(self._answer, server, client)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := client.recv(65536):
                if not self.cuts and self._word in block:
                    self.cuts = 1
                server.sendall(block)
        _hang_up(server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := server.recv(65536):
                if self.cuts == 1:
                    self.cuts = 2
                    break
                client.sendall(block)
        _hang_up(client)


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have done it
        line.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(port: int, word: bytes) -> Iterator[CuttingProxy]:
    """Open a proxy in front of a port."""
    proxy = CuttingProxy(port, word)
    try:
        yield proxy
    finally:
        proxy.close()
