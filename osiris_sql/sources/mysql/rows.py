"""Streams the rows of one table as columns: bounded batches, and nothing lost without an error."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from osiris_sql.sources.mysql.arrays import (
    arrow_type,
    day_array,
    days_of,
    instant_array,
    number_array,
    span_array,
    view_array,
)
from osiris_sql.sources.mysql.columns import Values, number_kind, take_apart
from osiris_sql.sources.mysql.wire import Field, RowStream
from osiris_sql.types.diagnostic import Diagnostic, StepError


@dataclass(frozen=True, kw_only=True)
class Arriving:
    """A column on its way: `binary` ones are bytes; what people wrote (`is_text`) is checked to be UTF-8; a
    time is an instant if it arrives `in_zone`."""

    name: str
    field: Field
    binary: bool = False
    is_text: bool = False
    in_zone: bool = False

    @property
    def type(self) -> pa.DataType:
        """The Arrow type of the column."""
        return arrow_type(self.field, binary=self.binary, in_zone=self.in_zone)


def arriving_schema(columns: Sequence[Arriving]) -> pa.Schema:
    """Return the schema of the batches; columns are named t1, t2, … by their places."""
    return pa.schema([(f"t{place}", column.type) for place, column in enumerate(columns, start=1)])


def row_batches(
    stream: RowStream, table: str, columns: Sequence[Arriving], zeros: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the stream; dates with a zero are counted into `zeros`, and with the first of them
    nothing more is yielded. Raises StepError for text that is none in its character set, and for a day that
    its month has not."""
    schema = arriving_schema(columns)
    fields = tuple(column.field for column in columns)
    if stream.fields != fields:
        raise _changed(table)
    for piece in stream.pieces():
        taken = take_apart(piece, fields)
        arrays = [_array(*pair, table, zeros) for pair in zip(taken, columns, strict=True)]
        if not zeros:
            yield pa.record_batch(arrays, schema=schema)


def refuse_zero_dates(table: str, zeros: Counter[str]) -> None:
    """Raise StepError if there are any."""
    if zeros:
        raise StepError(*(_zero_date(table, name, count) for name, count in sorted(zeros.items())))


def _array(values: Values, column: Arriving, table: str, zeros: Counter[str]) -> pa.Array:
    if number_kind(column.field):
        return number_array(values, column.field)
    type_ = column.type
    if pa.types.is_duration(type_):
        return span_array(values)
    if pa.types.is_temporal(type_):
        return _days_array(values, column, table, zeros)
    array = view_array(values, type_)
    return _sound_text(array, column, table) if column.is_text else array


def _days_array(values: Values, column: Arriving, table: str, zeros: Counter[str]) -> pa.Array:
    days = days_of(values)
    zeros.update({column.name: count} if (count := int(days.zero.sum())) else {})
    if not zeros and days.beyond.any():
        raise _no_such_day(values, int(days.beyond.argmax()), column)
    is_date = pa.types.is_date(column.type)
    return day_array(values, days) if is_date else instant_array(values, days, column.type)


def _sound_text(array: pa.Array, column: Arriving, table: str) -> pa.Array:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        raise StepError(
            Diagnostic(
                rule="invalid-text",
                message=f"column {column.name} of table {table} holds text that is not valid in its"
                " character set",
                why=str(error),
                fix="correct it at the source, or declare the column's character set there as it is",
            )
        ) from error
    return array


def _no_such_day(values: Values, row: int, column: Arriving) -> StepError:
    year, month, day = struct.unpack_from("<HBB", values.data, int(values.start[row]))
    said = f'column {column.name}: "{year:04}-{month:02}-{day:02}" is not exactly a value of type DATE'
    return StepError(Diagnostic(rule="bad-value", message=said, why="its month has fewer days"))


def _changed(table: str) -> StepError:
    return StepError(
        Diagnostic(
            rule="table-changed",
            message=f"table {table} was altered while it was read",
            fix="build again when nobody alters it",
        )
    )


def _zero_date(table: str, column: str, count: int) -> Diagnostic:
    return Diagnostic(
        rule="zero-date",
        message=f"column {column} of table {table} holds {count} zero dates, such as 0000-00-00",
        why="no calendar has them; to read them as NULL silently would change what the rows say",
        fix=f"correct them, or declare `data_type: VARCHAR` for {column} in sources.yml"
        " and decide in a model (TRY_CAST makes them NULL)",
    )
