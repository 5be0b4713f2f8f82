"""TLS and HTTP/2 in front of the server, as the real edge speaks: each stream becomes one HTTP/1.1 call."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def make_certificate(folder: Path) -> Path:
    """Return a file with a certificate for 127.0.0.1 and its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@contextmanager
def http2_front(certificate: Path, backend: tuple[str, int]) -> Iterator[str]:
    """Serve HTTP/2 over TLS until the block ends; yields the URL."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    tls.set_alpn_protocols(["h2", "http/1.1"])
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                threading.Thread(target=_serve, args=(plain, tls, backend), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _serve(plain: socket.socket, tls: ssl.SSLContext, backend: tuple[str, int]) -> None:
    with suppress(OSError, ssl.SSLError), plain, tls.wrap_socket(plain, server_side=True) as secure:
        if secure.selected_alpn_protocol() == "h2":
            Connection(secure, backend).run()
        else:
            _relay(secure, backend)


def _relay(secure: ssl.SSLSocket, backend: tuple[str, int]) -> None:
    """Carry HTTP/1.1, which the SDK takes for downloads, as it is."""
    with socket.create_connection(backend) as call:
        while True:
            readable = [secure] if secure.pending() else select.select([secure, call], [], [])[0]
            for end, other in ((secure, call), (call, secure)):
                if end in readable:
                    data = end.recv(65536)
                    if not data:
                        return
                    other.sendall(data)


class Connection:
    """One client; only its own thread touches the socket, the others wake it."""

    def __init__(self, secure: ssl.SSLSocket, backend: tuple[str, int]) -> None:
        self._secure, self._backend = secure, backend
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._lock = threading.RLock()
        self._room = threading.Condition(self._lock)
        self._woken, self._wake = socket.socketpair()
        self._calls: dict[int, tuple[socket.socket, bool]] = {}

    def run(self) -> None:
        """Carry bytes until the client leaves."""
        self._h2.initiate_connection()
        self._secure.setblocking(False)
        try:
            while self._turn():
                pass
        finally:
            for call, _ in list(self._calls.values()):
                call.close()
            self._woken.close()
            self._wake.close()

    def _turn(self) -> bool:
        with self._lock:
            waiting = self._h2.data_to_send()
        while waiting:
            try:
                waiting = waiting[self._secure.send(waiting) :]
            except ssl.SSLWantWriteError:
                select.select([], [self._secure], [])
        if not self._secure.pending():
            readable, _, _ = select.select([self._secure, self._woken], [], [])
            if self._woken in readable:
                self._woken.recv(4096)
        try:
            data = self._secure.recv(65536)
        except ssl.SSLWantReadError:
            return True
        if data:
            with self._lock:
                for event in self._h2.receive_data(data):
                    self._take(event)
                self._room.notify_all()
        return bool(data)

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._begin(event)
            case h2.events.DataReceived():
                call, chunked = self._calls[event.stream_id]
                if event.data:
                    head = b"%x\r\n" % len(event.data) if chunked else b""
                    call.sendall(head + event.data + (b"\r\n" if chunked else b""))
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                call, chunked = self._calls[event.stream_id]
                if chunked:
                    call.sendall(b"0\r\n\r\n")
            case h2.events.StreamReset():
                if event.stream_id in self._calls:
                    self._calls.pop(event.stream_id)[0].shutdown(socket.SHUT_RDWR)

    def _begin(self, event: h2.events.RequestReceived) -> None:
        headers = [(_text(name), _text(value)) for name, value in event.headers]
        special = {name: value for name, value in headers if name.startswith(":")}
        kept = [(name, value) for name, value in headers if not name.startswith(":") and name != "te"]
        chunked = event.stream_ended is None and "content-length" not in dict(kept)
        kept += [("host", special[":authority"]), ("connection", "close")]
        kept += [("transfer-encoding", "chunked")] if chunked else []
        lines = "".join(f"{name}: {value}\r\n" for name, value in kept)
        call = socket.create_connection(self._backend)
        call.sendall(f"{special[':method']} {special[':path']} HTTP/1.1\r\n{lines}\r\n".encode())
        self._calls[event.stream_id] = (call, chunked)
        threading.Thread(target=self._answer, args=(event.stream_id, call), daemon=True).start()

    def _answer(self, stream: int, call: socket.socket) -> None:
        with suppress(OSError, h2.exceptions.ProtocolError, http.client.HTTPException), call:
            answer = http.client.HTTPResponse(call)
            answer.begin()
            dropped = ("transfer-encoding", "connection")
            headers = [(k.lower(), v) for k, v in answer.getheaders() if k.lower() not in dropped]
            with self._lock:
                self._h2.send_headers(stream, [(":status", str(answer.status)), *headers])
            self._stir()
            while data := answer.read1(16384):
                self._send(stream, data)
            with self._lock:
                self._h2.end_stream(stream)
            self._stir()

    def _send(self, stream: int, data: bytes) -> None:
        while data:
            with self._room:
                while not (room := self._h2.local_flow_control_window(stream)):
                    self._room.wait(0.2)
                size = min(room, len(data), self._h2.max_outbound_frame_size)
                self._h2.send_data(stream, data[:size])
            data = data[size:]
            self._stir()

    def _stir(self) -> None:
        self._wake.send(b"x")


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()
