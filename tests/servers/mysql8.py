"""What MySQL 8 is on the wire, in front of a MariaDB, which does not speak it: its login and its words.

A client logs in by `caching_sha2_password`: by the scramble of a password that the server has seen, else
with the password itself over TLS, or encrypted with the server's RSA key. Its commands then go to
MariaDB, with what only MySQL knows put into MariaDB's words.
"""

from __future__ import annotations

import secrets
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import pymysql
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pymysql._auth import scramble_caching_sha2
from pymysql.constants import CLIENT, COMMAND
from servers.mariadb import MariaDb

VERSION = "8.4.3"
SERVER_UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
GTIDS = f"CONCAT('{SERVER_UUID}:1-', SUBSTRING_INDEX(@@gtid_binlog_pos, '-', -1))"
WORDS = {
    "@@global.gtid_executed": GTIDS,
    "VERSION()": f"'{VERSION}'",
    "transaction_isolation = ": "tx_isolation = ",
    "max_execution_time = ": "max_statement_time = 0.001 * ",
    "max_statement_time = 0.001 * 0": "max_statement_time = 0",
}
PLUGIN = b"caching_sha2_password"
OFFERED = (
    CLIENT.LONG_PASSWORD
    | CLIENT.LONG_FLAG
    | CLIENT.CONNECT_WITH_DB
    | CLIENT.PROTOCOL_41
    | CLIENT.TRANSACTIONS
    | CLIENT.SECURE_CONNECTION
    | CLIENT.MULTI_RESULTS
    | CLIENT.PLUGIN_AUTH
)
MORE, OK, WRONG = (
    b"\1",
    b"\0\0\0\2\0\0\0",
    b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied for user",
)
FAST, FULL, ASK_FOR_KEY = b"\3", b"\4", b"\2"


@dataclass
class Mysql8:
    """The running server; `logins` says how each client proved its password, or "refused"."""

    behind: MariaDb
    tls: ssl.SSLContext | None = None
    before: Callable[[str], object] = lambda sql: None
    logins: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        """Stop listening and wait until the last client has gone."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # stopped
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        server = self.behind.connect()
        link = Link(client)
        try:
            with suppress(OSError, EOFError):
                if self._log_in(link, server):
                    self._pass_on(link, server._sock)
        finally:
            link.close()
            server.close()

    # ------------------------------------------------------------------------------ the login

    def _log_in(self, link: Link, server: pymysql.Connection[Any]) -> bool:
        """Greet a client, check its password, and turn to the database that it asks for."""
        salt = bytes(secrets.choice(range(1, 128)) for _ in range(20))
        offered = OFFERED | (CLIENT.SSL if self.tls else 0)
        low, high = struct.pack("<H", offered & 0xFFFF), struct.pack("<H", offered >> 16)
        number = struct.pack("<I", server.thread_id())
        link.send(
            b"\x0a" + VERSION.encode() + b"\0" + number + salt[:8] + b"\0" + low
            + b"\xff\2\0" + high + b"\x15" + bytes(10) + salt[8:] + b"\0" + PLUGIN + b"\0"
        )  # fmt: skip
        answer = link.receive()
        if len(answer) == 32:  # all that a client says before it asks for TLS
            assert self.tls is not None
            link.socket = self.tls.wrap_socket(link.socket, server_side=True)
            answer = link.receive()
        user, _, rest = answer[32:].partition(b"\0")
        proof, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        password = {"root": self.behind.root_password}.get(user.decode(), "").encode()
        how = self._prove(link, user.decode(), password, salt, proof)
        self.logins.append(how)
        if struct.unpack_from("<I", answer)[0] & CLIENT.CONNECT_WITH_DB and how != "refused":
            server.select_db(rest.partition(b"\0")[0].decode())
        link.send(WRONG if how == "refused" else OK)
        return how != "refused"

    def _prove(self, link: Link, user: str, password: bytes, salt: bytes, proof: bytes) -> str:
        if user in self._known and proof == scramble_caching_sha2(password, salt):
            link.send(MORE + FAST)
            return "known"
        link.send(MORE + FULL)
        how, told = "over TLS", link.receive()
        if not isinstance(link.socket, ssl.SSLSocket):
            assert told == ASK_FOR_KEY
            pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            link.send(MORE + self._key.public_key().public_bytes(*pem))
            oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
            mixed = self._key.decrypt(link.receive(), oaep)
            how, told = "by RSA", bytes(a ^ b for a, b in zip(mixed, cycle(salt), strict=False))
        if told != password + b"\0":
            return "refused"
        self._known.add(user)
        return how

    # ------------------------------------------------------------------------------ the commands

    def _pass_on(self, link: Link, server: socket.socket) -> None:
        """Pass commands to the server, in its words, and all that it answers back."""
        while True:
            pending = isinstance(link.socket, ssl.SSLSocket) and link.socket.pending()
            ready = select.select([link.socket, server], [], [])[0] if not pending else [link.socket]
            if link.socket in ready:
                link.number = 0
                command = self._in_its_words(link, link.receive())
                server.sendall(struct.pack("<I", len(command)) + command)
            if server in ready:
                answered = server.recv(1 << 16)
                if not answered:
                    return
                link.socket.sendall(answered)

    def _in_its_words(self, link: Link, command: bytes) -> bytes:
        if command[0] != COMMAND.COM_QUERY:
            return command
        sql = command[1:].decode("utf-8", "surrogateescape")
        self.before(sql)
        for word, its in WORDS.items():
            sql = sql.replace(word, its)
        if isinstance(link.socket, ssl.SSLSocket) and "'Ssl_cipher'" in sql:
            sql = f"SELECT 'Ssl_cipher', '{(link.socket.cipher() or ('',))[0]}'"
        return command[:1] + sql.encode("utf-8", "surrogateescape")


class Link:
    """A client's end: packets with their numbers."""

    def __init__(self, client: socket.socket) -> None:
        self.socket = client
        self.number = 0

    def send(self, payload: bytes) -> None:
        """Send a packet."""
        self.socket.sendall(struct.pack("<I", len(payload))[:3] + bytes([self.number]) + payload)
        self.number += 1

    def receive(self) -> bytes:
        """Return a packet; raises EOFError when the client has gone."""
        head = self._exactly(4)
        self.number = head[3] + 1
        return self._exactly(int.from_bytes(head[:3], "little"))

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data


@contextmanager
def mysql8(behind: MariaDb, tls: ssl.SSLContext | None = None) -> Iterator[Mysql8]:
    """Run a server in front of this MariaDB; it is always stopped."""
    server = Mysql8(behind, tls)
    try:
        yield server
    finally:
        server.stop()
