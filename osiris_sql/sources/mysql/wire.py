"""Reads a result off the wire in large pieces: whole rows as the server packed them, not yet taken apart.

pymysql reads packet by packet, which costs more than all that is done with the rows after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct
from typing import Any

import pymysql
from pymysql.constants import COMMAND, CR
from pymysql.err import raise_mysql_exception

PIECE = 1 << 20
HEADER = 4
FULL = 0xFFFFFF
"""The size of a packet whose row goes on in the next packet."""
SPARE = 16
"""Bytes after the last row, so that eight can be read at any place of it."""
END, FAILURE = 0xFE, 0xFF
END_SIZE = 5
first_of = Struct("<I").unpack_from


@dataclass(frozen=True)
class Piece:
    """Row `i` is `data[starts[i] + HEADER : starts[i + 1]]`."""

    data: bytearray
    starts: list[int]


class RowStream:
    """The rows of one query; until it has `ended` the connection can do nothing else."""

    def __init__(self, connection: Any, sql: str) -> None:
        self.ended = True
        self._driver = connection
        self._driver._execute_command(COMMAND.COM_QUERY, sql)
        width = self._driver._read_packet().read_length_encoded_integer()
        for _ in range(width + 1):  # the descriptions of the columns, and their end
            self._driver._read_packet()
        self.ended = False
        # What the driver has read ahead; from here on nothing goes through its small buffer.
        self._rest = bytearray(self._guarded(self._driver._rfile.read1))

    def pieces(self) -> Iterator[Piece]:
        """Yield the rows that were not read yet; raises pymysql's errors."""
        while not self.ended:
            data, filled, starts = self._receive_packets()
            if _is_end(data, starts):
                self._end(data, starts)
            piece, used = _whole_rows(data, starts)
            self._rest = data[used:filled]
            if len(piece.starts) > 1:
                yield piece

    def _receive_packets(self) -> tuple[bytearray, int, list[int]]:
        """Return a full buffer, or one that ends with the result; how much is in it, and its packets."""
        rest = self._rest
        data = bytearray(max(PIECE, _wanted(rest)) + SPARE)
        data[: len(rest)] = rest
        filled, starts = len(rest), [0]
        with memoryview(data) as room:
            while True:
                _find_packets(data, filled, starts)
                if filled == len(data) - SPARE or _is_end(data, starts):
                    return data, filled, starts
                filled += self._receive(room[filled:-SPARE])

    def _receive(self, room: memoryview) -> int:
        size: int = self._guarded(lambda: self._driver._rfile.raw.readinto(room))
        if not size:
            raise self._lost("")
        return size

    def _guarded(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except OSError as error:
            raise self._lost(f" ({error})") from error

    def _lost(self, why: str) -> pymysql.OperationalError:
        self.ended = True
        return pymysql.OperationalError(
            CR.CR_SERVER_LOST, f"Lost connection to MySQL server during query{why}"
        )

    def _end(self, data: bytearray, starts: list[int]) -> None:
        self.ended = True
        last = bytes(data[starts[-2] + HEADER : starts[-1]])
        if last[0] == FAILURE:
            raise_mysql_exception(last)
        starts.pop()


def _find_packets(data: bytearray, filled: int, starts: list[int]) -> None:
    """Add where the packets end that have arrived completely; the last of `starts` is where to go on."""
    add = starts.append
    at = starts[-1] + HEADER
    while at <= filled:
        at += first_of(data, at - HEADER)[0] & FULL
        if at > filled:
            return
        add(at)
        at += HEADER


def _wanted(rest: bytearray) -> int:
    """Return how long a row that has begun to arrive is, as far as one can tell."""
    at = 0
    while at + HEADER <= len(rest):
        size: int = first_of(rest, at)[0] & FULL
        at += HEADER + size
        if size < FULL:
            return at
    return at + HEADER + FULL if at else 0


def _is_end(data: bytearray, starts: list[int]) -> bool:
    """Say whether the last packet is no row but the word that there are no more, or an error."""
    if len(starts) < 2 or (len(starts) > 2 and starts[-2] - starts[-3] == HEADER + FULL):
        return False
    mark = data[starts[-2] + HEADER]
    return mark == FAILURE or (mark == END and starts[-1] - starts[-2] == HEADER + END_SIZE)


def _whole_rows(data: bytearray, starts: list[int]) -> tuple[Piece, int]:
    """Return the rows that have arrived completely, and where they end in `data`."""
    if len(data) <= FULL or all(stop - start < HEADER + FULL for start, stop in pairwise(starts)):
        return Piece(data, starts), starts[-1]
    joined, marks, used = bytearray(), [0], 0
    is_new = True
    for start, stop in pairwise(starts):
        joined += data[start if is_new else start + HEADER : stop]
        is_new = stop - start < HEADER + FULL
        if is_new:
            marks.append(len(joined))
            used = stop
    return Piece(joined + bytes(SPARE), marks), used
