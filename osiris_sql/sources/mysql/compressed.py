"""The compressed protocol, which pymysql can't speak: what is sent after the login goes in zlib's frames."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pymysql.constants import CLIENT

from osiris_sql.sources.mysql.connect import QuickConnection

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEADER = 7
"""Bytes before a frame: three of its size, its number, three of its size unpacked (0: nothing was packed)."""
LARGEST = 0xFFFFFF
WORTH = 50
"""Shorter than this the clients of both servers send it as it is."""


class CompressedConnection(QuickConnection):
    """A connection of pymysql that packs what it sends, and what is sent to it, if the server offers that."""

    server_capabilities: int
    _rfile: io.BufferedReader
    _packs = False
    _frames = 0  # sent since the command began

    def _request_authentication(self) -> None:
        self._packs = False
        offered = bool(self.server_capabilities & CLIENT.COMPRESS)
        self.client_flag |= CLIENT.COMPRESS if offered else 0
        super()._request_authentication()  # type: ignore[misc]
        if offered:
            self._rfile = io.BufferedReader(Unpacked(self._rfile))
            self._packs = True

    def _execute_command(self, command: int, sql: str | bytes) -> None:
        super()._execute_command(command, sql)  # type: ignore[misc]
        if self._packs:
            self._next_seq_id = self._frames  # the servers number their answer's packets by frames

    def _write_bytes(self, data: bytes) -> None:
        if self._packs:
            begins_a_command = data[3] == 0
            packed = list(frames(data, 0 if begins_a_command else self._frames))
            self._frames = len(packed) if begins_a_command else self._frames + len(packed)
            data = b"".join(packed)
        super()._write_bytes(data)  # type: ignore[misc]


def frames(packet: bytes, first: int) -> Iterator[bytes]:
    """Yield a packet as frames, which are numbered from `first`."""
    for number, start in enumerate(range(0, len(packet), LARGEST), start=first):
        part = packet[start : start + LARGEST]
        packed = zlib.compress(part) if len(part) >= WORTH else part
        whole = len(part) if packed is not part else 0
        yield b"%b%c%b%b" % (_three(len(packed)), number % 256, _three(whole), packed)


class Unpacked(io.RawIOBase):
    """The bytes inside the frames that a file of the wire holds; raises OSError for a broken one."""

    def __init__(self, wire: io.BufferedReader) -> None:
        self._wire = wire
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, room: WriteableBuffer, /) -> int:
        """Fill the room with what is left of a frame, or with the next one; zero bytes are the end."""
        if not self._left:
            self._left = memoryview(self._next())
        target = memoryview(room).cast("B")
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        """Close the wire too."""
        self._wire.close()
        super().close()

    def _next(self) -> bytes:
        header = self._wire.read(HEADER)
        size, whole = int.from_bytes(header[:3], "little"), int.from_bytes(header[4:], "little")
        body = self._wire.read(size)
        if len(header) < HEADER or len(body) < size:
            return b""
        try:
            return zlib.decompress(body, bufsize=whole) if whole else body
        except zlib.error as error:
            raise OSError(f"a compressed packet is broken: {error}") from error


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")
