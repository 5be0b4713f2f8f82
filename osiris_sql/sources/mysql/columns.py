"""Takes rows apart into columns, all rows of a piece at once.

A value is its length and its text. The columns are Arrow's views, which point into what came off the wire:
nothing is copied but texts of up to 12 bytes, which stand in the view itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from osiris_sql.sources.mysql.wire import HEADER, Piece

Places = npt.NDArray[np.int64]
NULL = 251
LONGER = ((252, 2), (253, 3), (254, 8))
"""First bytes that say that the length stands in so many bytes after them."""
INLINE = 12
FIRST_FOUR = np.array([(1 << 8 * min(size, 4)) - 1 for size in range(INLINE + 1)], dtype="<u8")
NEXT_EIGHT = np.array([(1 << 8 * max(size - 4, 0)) - 1 for size in range(INLINE + 1)], dtype="<u8")
DAY_SIZE = len("YYYY-MM-DD")
TWO_ZEROS = 0x3030


@dataclass(frozen=True)
class Values:
    """One column: where in `data` each value begins, how long it is, and which are NULL (None: none is)."""

    data: bytearray
    start: Places
    size: Places
    null: npt.NDArray[np.bool_] | None


def take_apart(piece: Piece, width: int) -> list[Values]:
    """Return the columns of the rows; raises ValueError if a row has more or less than `width`."""
    starts = np.array(piece.starts, dtype=np.int64)
    at = starts[:-1] + HEADER
    columns = []
    for _ in range(width):
        values = _values(piece.data, at)
        columns.append(values)
        at = values.start + values.size
    if not np.array_equal(at, starts[1:]):
        raise ValueError("a row of the source is broken")
    return columns


def view_array(values: Values, type_: pa.DataType) -> pa.Array:
    """Return the values as an Arrow array of `string_view` or `binary_view`."""
    words = np.empty((len(values.size), 2), dtype="<u8")
    inline = np.minimum(values.size, INLINE)
    words[:, 0] = (_numbers(values.data, "<u4")[values.start] & FIRST_FOUR[inline]) << np.uint64(32)
    words[:, 0] |= values.size.view(np.uint64)
    words[:, 1] = _numbers(values.data, "<u8")[values.start + 4] & NEXT_EIGHT[inline]
    is_long = values.size > INLINE
    if is_long.any():
        words[is_long, 1] = values.start[is_long].view(np.uint64) << np.uint64(32)
    valid = None if values.null is None else pa.py_buffer(np.packbits(~values.null, bitorder="little"))
    buffers = [valid, pa.py_buffer(words), pa.py_buffer(values.data)]
    return pa.Array.from_buffers(type_, len(words), buffers)


def count_zero_dates(values: Values) -> int:
    """Count the dates whose month or day is zero, which MySQL allows and no calendar has."""
    pairs = _numbers(values.data, "<u2")
    start = values.start[values.size >= DAY_SIZE]
    return int(((pairs[start + 5] == TWO_ZEROS) | (pairs[start + 8] == TWO_ZEROS)).sum())


def _values(data: bytearray, at: Places) -> Values:
    first = _numbers(data, "u1")[at]
    size, start, null = first.astype(np.int64), at + 1, None
    if first.max(initial=0) >= NULL:
        null = first == NULL
        size[null] = 0
        for mark, width in LONGER:
            rows = np.flatnonzero(first == mark)
            mask = np.uint64(2 ** (8 * width) - 1)
            size[rows] = (_numbers(data, "<u8")[at[rows] + 1] & mask).view(np.int64)
            start[rows] += width
    return Values(data, start, size, null)


def _numbers(data: bytearray, kind: str) -> npt.NDArray[Any]:
    """Return the numbers of this kind that begin at each byte."""
    type_ = np.dtype(kind)
    return np.ndarray((len(data) - type_.itemsize + 1,), type_, data, 0, (1,))
