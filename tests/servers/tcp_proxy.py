"""A TCP proxy in front of a server, for faults on the wire: cut, stall, throttle, refuse.

Bytes are counted over all connections since the last `heal`, apart for each direction: "up" is from the
client to the server, "down" is back.
"""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["up", "down"]

PIECE = 64 * 1024
TICK = 0.05  # seconds between looks at whether a link that can't move was cut or healed
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST, as a dropped link does


@dataclass
class _Fault:
    """What happens to the bytes of one direction; a limit of None is never reached."""

    passed: int = 0
    cut_after: int | None = None
    stall_after: int | None = None
    bytes_per_second: int | None = None


@dataclass
class TcpProxy:
    """A running proxy; clients connect to `host` and `port`."""

    server: tuple[str, int]
    port: int = 0
    host: str = "127.0.0.1"
    accepted: int = 0
    _listener: socket.socket = field(init=False, repr=False)
    _faults: dict[Direction, _Fault] = field(init=False, repr=False)
    _refusing: bool = field(default=False, repr=False)
    _links: list[tuple[socket.socket, socket.socket]] = field(default_factory=list, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, repr=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _stopped: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        self._faults = {"up": _Fault(), "down": _Fault()}
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    # ------------------------------------------------------------------------------ what a test says

    def cut_after(self, size: int, direction: Direction = "down") -> None:
        """Reset every connection once `size` more bytes have passed, and each later one at its first byte."""
        with self._changed:
            fault = self._faults[direction]
            fault.cut_after = fault.passed + size

    def stall_after(self, size: int, direction: Direction = "down") -> None:
        """Let `size` more bytes pass, then none, with the connection left open."""
        with self._changed:
            fault = self._faults[direction]
            fault.stall_after = fault.passed + size

    def throttle(self, bytes_per_second: int, direction: Direction = "down") -> None:
        """Let no more than this pass in a second."""
        with self._changed:
            self._faults[direction].bytes_per_second = bytes_per_second

    def refuse(self) -> None:
        """Reset new connections before a byte has passed; those that are open go on."""
        self._refusing = True

    def cut(self) -> None:
        """Reset the connections that are open now."""
        with self._changed:
            links, self._links = self._links, []
            self._changed.notify_all()
        for pair in links:
            _reset(*pair)

    def heal(self) -> None:
        """Take all faults back and count from zero; what stalls flows again."""
        with self._changed:
            self._faults = {"up": _Fault(), "down": _Fault()}
            self._refusing = False
            self._changed.notify_all()

    def passed(self, direction: Direction) -> int:
        """Return the bytes that have passed since the last `heal`."""
        return self._faults[direction].passed

    def stop(self) -> None:
        """Stop listening, reset what is open and wait for the threads."""
        with self._changed:
            self._stopped = True
        with suppress(OSError):  # wakes the accepting thread
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    # --------------------------------------------------------------------------------- what it does

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True, name="tcp-proxy")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # stopped
                return
            self.accepted += 1
            self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            if self._refusing:
                raise ConnectionRefusedError
            server = socket.create_connection(self.server)
        except OSError:
            _reset(client)
            return
        with self._changed:
            self._links.append((client, server))
        self._start(self._forward, client, server, "up")
        self._start(self._forward, server, client, "down")
        if self._stopped:
            self.cut()

    def _forward(self, source: socket.socket, sink: socket.socket, direction: Direction) -> None:
        """Pass bytes on until one side ends; an end passes on too, so half-closed connections work."""
        try:
            while data := source.recv(PIECE):
                while data:
                    data = data[self._pass(data, sink, direction) :]
            with self._changed:
                if not self._is_open(source):  # `cut` woke us, between its own steps: no polite end then
                    raise ConnectionResetError
                sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):  # cut, by us (a closed socket is a ValueError to select) or by a side
            _reset(source, sink)

    def _is_open(self, end: socket.socket) -> bool:
        return any(end in link for link in self._links)

    def _pass(self, data: bytes, sink: socket.socket, direction: Direction) -> int:
        """Send what may go now and return its size."""
        with self._changed:
            fault = self._faults[direction]
            size = self._allowance(fault, len(data))
            if not size:
                self._changed.wait(TICK)
        select.select([], [sink], [], TICK)
        if not size:
            return 0
        with self._changed:
            sent = _send(sink, data[:size])
            fault.passed += sent
            if fault.passed == fault.cut_after:
                raise ConnectionResetError
        if fault.bytes_per_second:
            time.sleep(sent / fault.bytes_per_second)
        return sent

    def _allowance(self, fault: _Fault, wanted: int) -> int:
        """Return how many bytes may pass at once; zero is a stall. Raises when the cut is due."""
        if fault.cut_after is not None:
            wanted = min(wanted, fault.cut_after - fault.passed)
            if wanted <= 0:
                raise ConnectionResetError
        if fault.stall_after is not None:
            wanted = max(0, min(wanted, fault.stall_after - fault.passed))
        if fault.bytes_per_second:
            wanted = min(wanted, max(1, fault.bytes_per_second // 20))
        return wanted


def _send(sink: socket.socket, data: bytes) -> int:
    """Send what fits into the socket's buffer and return its size; a full one takes nothing."""
    try:
        return sink.send(data, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return 0


def _reset(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        with suppress(OSError):  # wakes the thread that reads from it; closing alone would not
            one.shutdown(socket.SHUT_RD)
        one.close()


@contextmanager
def tcp_proxy(port: int, host: str = "127.0.0.1") -> Iterator[TcpProxy]:
    """Run a proxy in front of `host:port` on a free port; it is always stopped."""
    proxy = TcpProxy((host, port))
    try:
        yield proxy
    finally:
        proxy.stop()
