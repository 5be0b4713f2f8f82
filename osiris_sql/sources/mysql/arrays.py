"""Makes Arrow arrays of columns that were taken apart.

Texts are Arrow's views, which point into what came off the wire: nothing is copied but those of up to 12
bytes, which stand in the view itself. Times come as their parts, and are counted as Arrow counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pymysql.constants import FIELD_TYPE

from osiris_sql.sources.mysql.columns import Flags, Values, number_kind
from osiris_sql.sources.mysql.wire import Field

INLINE = 12
FIRST_FOUR = np.array([(1 << 8 * min(size, 4)) - 1 for size in range(INLINE + 1)], dtype="<u8")
NEXT_EIGHT = np.array([(1 << 8 * max(size - 4, 0)) - 1 for size in range(INLINE + 1)], dtype="<u8")
NUMBER_TYPES = {
    **{f"i{size}": pa.type_for_alias(f"int{8 * size}") for size in (1, 2, 4, 8)},
    **{f"u{size}": pa.type_for_alias(f"uint{8 * size}") for size in (1, 2, 4, 8)},
    "f4": pa.float32(),
    "f8": pa.float64(),
}
DAYS = FIELD_TYPE.DATE
INSTANTS = (FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP)
LAST_YEAR = 9999
MONTHS = 16
"""Places for each year in the calendar: its months are 1 to 12."""
EPOCH = 1970 | 1 << 16 | 1 << 24
"""1970-01-01 as its parts stand in four bytes."""
DATE_SIZE, CLOCK_SIZE, FRACTION_SIZE = 4, 7, 11
"""Bytes of a time that ends with its day, with its second, with its microsecond."""
SPAN_FRACTION_SIZE = 12


@dataclass(frozen=True)
class Days:
    """Which day each value is, counted from 1970, and which are none: a part is zero, or the month is
    shorter."""

    count: npt.NDArray[np.int32]
    zero: Flags
    beyond: Flags


def arrow_type(field: Field, *, binary: bool, in_zone: bool) -> pa.DataType:
    """Return the type that a column arrives in: bytes or text of what is no number and no time, an instant
    or what a clock showed."""
    if kind := number_kind(field):
        return NUMBER_TYPES[kind]
    if field.type_code == DAYS:
        return pa.date32()
    if field.type_code in INSTANTS:
        return pa.timestamp("us", "UTC" if in_zone else None)
    if field.type_code == FIELD_TYPE.TIME:
        return pa.duration("us")
    return pa.binary_view() if binary else pa.string_view()


def number_array(values: Values, field: Field) -> pa.Array:
    """Return numbers as an Arrow array."""
    kind = number_kind(field)
    return _array(values, values.read(kind), NUMBER_TYPES[kind])


def view_array(values: Values, type_: pa.DataType) -> pa.Array:
    """Return the values as an Arrow array of `string_view` or `binary_view`."""
    words = np.empty((len(values.size), 2), dtype="<u8")
    inline = np.minimum(values.size, INLINE)
    words[:, 0] = (values.read("u4") & FIRST_FOUR[inline]) << np.uint64(32)
    words[:, 0] |= values.size.view(np.uint64)
    words[:, 1] = values.read("u8", 4) & NEXT_EIGHT[inline]
    is_long = values.size > INLINE
    if is_long.any():
        words[is_long, 1] = values.start[is_long].view(np.uint64) << np.uint64(32)
    return _array(values, words, type_, pa.py_buffer(values.data))


def days_of(values: Values) -> Days:
    """Return the days of dates, or of the dates in times."""
    told = np.where(values.size >= DATE_SIZE, values.read("u4"), EPOCH)
    month, day = told >> 16 & 0xFF, told >> 24
    zero = (month == 0) | (day == 0)
    zero |= (values.size == 0) if values.null is None else (values.size == 0) & ~values.null
    starts, lengths = _calendar()
    place = ((told & 0xFFFF) * MONTHS + month).astype(np.intp)
    return Days(starts[place] + day.astype(np.int32), zero, ~zero & (day > lengths[place]))


def day_array(values: Values, days: Days) -> pa.Array:
    """Return dates as an Arrow array."""
    return _array(values, days.count, pa.date32())


def instant_array(values: Values, days: Days, type_: pa.DataType) -> pa.Array:
    """Return days with their times of the day as an Arrow array."""
    clock = np.where(values.size >= CLOCK_SIZE, values.read("u4", DATE_SIZE) & 0xFFFFFF, 0)
    seconds = days.count.astype(np.int64) * 86400 + _seconds(clock)
    fraction = np.where(values.size == FRACTION_SIZE, values.read("u4", CLOCK_SIZE), 0)
    return _array(values, seconds * 1_000_000 + fraction, type_)


def span_array(values: Values) -> pa.Array:
    """Return spans of time, which may be longer than a day or negative, as an Arrow array."""
    days = np.where(values.size > 0, values.read("u4", 1), 0).astype(np.int64)
    clock = np.where(values.size > 0, values.read("u4", 5) & 0xFFFFFF, 0)
    fraction = np.where(values.size == SPAN_FRACTION_SIZE, values.read("u4", 8), 0)
    count = (days * 86400 + _seconds(clock)) * 1_000_000 + fraction
    negative = (values.read("u1") != 0) & (values.size > 0)
    return _array(values, np.where(negative, -count, count), pa.duration("us"))


def _seconds(clock: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Of hour, minute and second in three bytes."""
    hour, minute, second = clock & 0xFF, clock >> 8 & 0xFF, clock >> 16
    count: npt.NDArray[np.int64] = ((hour * 60 + minute) * 60 + second).astype(np.int64)
    return count


def _array(values: Values, content: npt.NDArray[Any], type_: pa.DataType, *more: pa.Buffer) -> pa.Array:
    valid = None if values.null is None else pa.py_buffer(np.packbits(~values.null, bitorder="little"))
    return pa.Array.from_buffers(type_, len(values.start), [valid, pa.py_buffer(content), *more])


@cache
def _calendar() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The day before each month, counted from 1970, and the days that it has, by year and month."""
    first = np.arange("0000-01", f"{LAST_YEAR + 1}-02", dtype="datetime64[M]").astype("datetime64[D]")
    starts = first.astype(np.int64).astype(np.int32)
    by_month = np.zeros((2, LAST_YEAR + 1, MONTHS), dtype=np.int32)
    by_month[0, :, 1:13] = (starts[:-1] - 1).reshape(-1, 12)
    by_month[1, :, 1:13] = np.diff(starts).reshape(-1, 12)
    return by_month[0].ravel(), by_month[1].ravel()
