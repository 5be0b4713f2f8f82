"""The proxy passes everything on, and breaks exactly what it is told to break."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from servers.tcp_proxy import TcpProxy, tcp_proxy

BIG = 3_000_000


@contextmanager
def echo_server() -> Iterator[int]:
    """Run a server that sends back what it gets, until the client has no more to say."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads: list[threading.Thread] = []

        def serve() -> None:
            while True:
                try:
                    link, _ = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=echo, args=(link,), daemon=True))
                threads[-1].start()

        acceptor = threading.Thread(target=serve, daemon=True)
        acceptor.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()
        for thread in threads:
            thread.join()


def echo(link: socket.socket) -> None:
    with link:
        try:
            while data := link.recv(65536):
                link.sendall(data)
        except ConnectionError:
            return


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    with echo_server() as port, tcp_proxy(port) as running:
        yield running


@contextmanager
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with closing(socket.create_connection((proxy.host, proxy.port), timeout=10)) as link:
        yield link


def receive(link: socket.socket, size: int) -> bytes:
    """Return `size` bytes, or fewer where the other side ends."""
    found = b""
    while len(found) < size and (data := link.recv(size - len(found))):
        found += data
    return found


def receive_until_reset(link: socket.socket) -> bytes:
    found = b""
    with pytest.raises(ConnectionResetError):
        while data := link.recv(65536):
            found += data
    return found


def test_bytes_pass_in_both_directions(proxy: TcpProxy) -> None:
    data = bytes(range(256)) * (BIG // 256)
    with client(proxy) as link:
        sender = threading.Thread(target=link.sendall, args=(data,))
        sender.start()
        assert receive(link, len(data)) == data
        sender.join()
    assert proxy.passed("up") == proxy.passed("down") == len(data)


def test_a_half_closed_connection_still_gets_its_answer(proxy: TcpProxy) -> None:
    with client(proxy) as link:
        link.sendall(b"the last word")
        link.shutdown(socket.SHUT_WR)
        assert receive(link, 100) == b"the last word"


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_cut_on_the_way_back_lets_exactly_so_many_bytes_arrive(proxy: TcpProxy, size: int) -> None:
    proxy.cut_after(size, "down")
    with client(proxy) as link:
        link.sendall(b"x" * 1000)
        assert receive_until_reset(link) == b"x" * size
    assert proxy.passed("down") == size


def test_a_cut_on_the_way_there_hides_the_rest_from_the_server(proxy: TcpProxy) -> None:
    proxy.cut_after(5, "up")
    with client(proxy) as link:
        link.sendall(b"hello world")
        receive_until_reset(link)
    assert proxy.passed("up") == 5


def test_a_cut_counts_from_now_and_holds_for_later_connections(proxy: TcpProxy) -> None:
    with client(proxy) as link:
        link.sendall(b"before")
        assert receive(link, 6) == b"before"
        proxy.cut_after(3)
        link.sendall(b"after")
        assert receive_until_reset(link) == b"aft"
    with client(proxy) as link:
        link.sendall(b"later")
        assert receive_until_reset(link) == b""


def test_what_is_open_can_be_cut_at_once(proxy: TcpProxy) -> None:
    with client(proxy) as link:
        link.sendall(b"here")
        assert receive(link, 4) == b"here"
        proxy.cut()
        assert receive_until_reset(link) == b""
    with client(proxy) as link:
        link.sendall(b"again")
        assert receive(link, 5) == b"again"


def test_a_cut_is_never_a_polite_end_however_the_threads_take_turns(proxy: TcpProxy) -> None:
    """A thread that the cut woke used to pass an end on before the cut was through: 1 in 30 so."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(100):
            with client(proxy) as link:
                link.sendall(b"here")
                assert receive(link, 4) == b"here"
                proxy.cut()
                assert receive_until_reset(link) == b""
    finally:
        sys.setswitchinterval(usual)


def test_a_stall_keeps_the_connection_open_and_heals(proxy: TcpProxy) -> None:
    proxy.stall_after(4)
    with client(proxy) as link:
        link.sendall(b"stalled")
        assert receive(link, 4) == b"stal"
        link.settimeout(0.2)
        with pytest.raises(TimeoutError):
            link.recv(1)
        link.settimeout(10)
        proxy.heal()
        assert receive(link, 3) == b"led"


def test_a_throttled_link_passes_small_pieces(proxy: TcpProxy) -> None:
    proxy.throttle(2000)
    with client(proxy) as link:
        link.sendall(b"x" * 500)
        assert len(link.recv(65536)) <= 100
        assert len(receive(link, 400)) == 400


def test_a_refused_connection_is_reset_before_a_byte_and_others_go_on(proxy: TcpProxy) -> None:
    with client(proxy) as old:
        old.sendall(b"open")
        assert receive(old, 4) == b"open"
        proxy.refuse()
        # The reset may come before the client has seen that it was connected.
        with pytest.raises(ConnectionResetError), client(proxy) as new:
            receive(new, 1)
        old.sendall(b"still")
        assert receive(old, 5) == b"still"
        proxy.heal()
        with client(proxy) as new:
            new.sendall(b"healed")
            assert receive(new, 6) == b"healed"


def test_a_server_that_is_down_looks_like_a_dropped_link() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with tcp_proxy(port) as proxy, pytest.raises(ConnectionResetError), client(proxy) as link:
        receive(link, 1)


@pytest.mark.parametrize("fault", ["none", "stall", "full"])
def test_stopping_leaves_no_thread_behind(fault: str) -> None:
    before = set(threading.enumerate())
    with echo_server() as port, tcp_proxy(port) as proxy, client(proxy) as link:
        if fault == "stall":
            proxy.stall_after(0)
        link.sendall(b"x")
        if fault == "full":  # nobody reads, so every buffer on the way fills up
            link.settimeout(0.5)
            with pytest.raises(TimeoutError):
                link.sendall(b"x" * 50_000_000)
        proxy.stop()
        assert not [thread for thread in threading.enumerate() if thread.name == "tcp-proxy"]
    assert set(threading.enumerate()) <= before
