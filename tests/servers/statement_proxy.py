"""A TCP proxy that counts a PostgreSQL client's statements and acts at one of them, before or after it."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


class StatementProxy:
    """At statement number `at` it calls `act`; `after` waits for the server's answer, which is then lost."""

    def __init__(self, port: int, at: int, act: Callable[[], None], *, after: bool) -> None:
        self._server_port, self._at, self._act, self._after = port, at, act, after
        self.statements, self.acted = 0, False
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def close(self) -> None:
        for line in self._sockets:
            _hang_up(line)
        for thread in self._threads:
            thread.join()
        for line in self._sockets:
            line.close()

    def _start(self, run: Callable[..., None], *args: socket.socket) -> None:
        self._threads.append(threading.Thread(target=run, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # until the listener is shut down
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                self._start(self._forward, client, server)
                self._start(self._answer, server, client)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := client.recv(65536):
                # A query is one message that starts with Q; rows of COPY start with d.
                if block[:1] == b"Q":
                    self.statements += 1
                    if self.statements == self._at and not self._after:
                        self._kill()
                        break
                server.sendall(block)
        _hang_up(server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := server.recv(65536):
                if self.statements == self._at and self._after and not self.acted:
                    self._kill()
                    break
                client.sendall(block)
        _hang_up(client)

    def _kill(self) -> None:
        self.acted = True
        self._act()


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have done it
        line.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def acting_at(port: int, statement: int, act: Callable[[], None], *, after: bool) -> Iterator[StatementProxy]:
    """Open a proxy in front of a port."""
    proxy = StatementProxy(port, statement, act, after=after)
    try:
        yield proxy
    finally:
        proxy.close()
