"""Takes rows apart into columns, all rows of a piece at once: where each value lies, and how long it is.

A row begins with a bit for each value that is NULL, of which nothing else is sent. A number takes as many
bytes as its type; a time is told in no more bytes than it needs, and a text in any number: both have their
size before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymysql.constants import FIELD_TYPE

from osiris_sql.sources.mysql.wire import HEADER, Field, Piece

Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NUMBERS = {
    FIELD_TYPE.TINY: "i1",
    FIELD_TYPE.SHORT: "i2",
    FIELD_TYPE.YEAR: "i2",
    FIELD_TYPE.LONG: "i4",
    FIELD_TYPE.INT24: "i4",
    FIELD_TYPE.LONGLONG: "i8",
    FIELD_TYPE.FLOAT: "f4",
    FIELD_TYPE.DOUBLE: "f8",
}
"""How a type is sent that always takes the same bytes."""
LONGER = ((252, 2), (253, 3), (254, 8))
"""First bytes that say that the length stands in so many bytes after them."""
MARK = 1
"""Bytes before a row's bits."""
UNUSED_BITS = 2


@dataclass(frozen=True)
class Values:
    """One column: where in `data` each value begins, how long it is, and which are NULL (None: none is)."""

    data: bytearray
    start: Places
    size: Places
    null: Flags | None

    def read(self, kind: str, offset: int = 0) -> npt.NDArray[Any]:
        """Return the numbers of this kind that stand at the values' places."""
        return numbers_at(self.data, kind, self.start + offset if offset else self.start)


def number_kind(field: Field) -> str:
    """Return how numpy calls the numbers of a column; "" if it holds none."""
    kind = NUMBERS.get(field.type_code, "")
    return kind.replace("i", "u") if field.unsigned else kind


def take_apart(piece: Piece, fields: Sequence[Field]) -> list[Values]:
    """Return the columns of the rows; raises ValueError if a row is longer or shorter than its values."""
    starts = np.array(piece.starts, dtype=np.int64)
    bits = starts[:-1] + (HEADER + MARK)
    at = bits + (len(fields) + UNUSED_BITS + 7) // 8
    columns = []
    for place, field in enumerate(fields):
        null = _nulls(piece.data, bits, place + UNUSED_BITS)
        kind = number_kind(field)
        values = _fixed(piece.data, at, int(kind[1]), null) if kind else _sized(piece.data, at, null)
        columns.append(values)
        at = values.start + values.size
    if not np.array_equal(at, starts[1:]):
        raise ValueError("a row of the source is broken")
    return columns


def numbers_at(data: bytearray, kind: str, places: Places) -> npt.NDArray[Any]:
    """Return the numbers of this kind that begin at these places."""
    type_ = np.dtype(f"<{kind}")
    every: npt.NDArray[Any] = np.ndarray((len(data) - type_.itemsize + 1,), type_, data, 0, (1,))
    return every[places]


def _nulls(data: bytearray, bits: Places, place: int) -> Flags | None:
    told = numbers_at(data, "u1", bits + place // 8) & np.uint8(1 << place % 8)
    return told != 0 if told.any() else None


def _fixed(data: bytearray, at: Places, width: int, null: Flags | None) -> Values:
    every = np.broadcast_to(np.int64(width), len(at))
    return Values(data, at, every if null is None else np.where(null, 0, every), null)


def _sized(data: bytearray, at: Places, null: Flags | None) -> Values:
    first = numbers_at(data, "u1", at)
    size, start = first.astype(np.int64), at + 1
    if null is not None:
        first[null] = size[null] = 0
        start -= null
    if first.max(initial=0) >= LONGER[0][0]:
        for mark, width in LONGER:
            rows = np.flatnonzero(first == mark)
            mask = np.uint64(2 ** (8 * width) - 1)
            size[rows] = (numbers_at(data, "u8", at[rows] + 1) & mask).view(np.int64)
            start[rows] += width
    return Values(data, start, size, null)
