"""Streams the rows of one table as columns of text: bounded batches, and nothing lost without an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from osiris_sql.sources.mysql.columns import Values, count_zero_dates, take_apart, view_array
from osiris_sql.sources.mysql.wire import RowStream
from osiris_sql.types.diagnostic import Diagnostic, StepError


@dataclass(frozen=True, kw_only=True)
class Arriving:
    """A column on its way: `binary` ones are bytes; what people wrote (`is_text`) is checked to be UTF-8, of
    dates those with a zero are refused."""

    name: str
    binary: bool = False
    is_text: bool = False
    is_date: bool = False

    @property
    def type(self) -> pa.DataType:
        """The Arrow type that points into what came off the wire."""
        return pa.binary_view() if self.binary else pa.string_view()


def arriving_schema(columns: Sequence[Arriving]) -> pa.Schema:
    """Return the schema of the batches; columns are named t1, t2, … by their places."""
    return pa.schema([(f"t{place}", column.type) for place, column in enumerate(columns, start=1)])


def row_batches(
    stream: RowStream, table: str, columns: Sequence[Arriving], zeros: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the stream; dates with a zero are counted into `zeros`, and with the first of them
    nothing more is yielded. Raises StepError for text that is none in its character set."""
    schema = arriving_schema(columns)
    for piece in stream.pieces():
        values = take_apart(piece, len(columns))
        zeros.update(_zero_dates(values, columns))
        if not zeros:
            arrays = [_array(*pair, table) for pair in zip(values, columns, strict=True)]
            yield pa.record_batch(arrays, schema=schema)


def refuse_zero_dates(table: str, zeros: Counter[str]) -> None:
    """Raise StepError if there are any."""
    if zeros:
        raise StepError(*(_zero_date(table, name, count) for name, count in sorted(zeros.items())))


def _array(values: Values, column: Arriving, table: str) -> pa.Array:
    array = view_array(values, column.type)
    if not column.is_text:
        return array
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


def _zero_dates(values: Sequence[Values], columns: Sequence[Arriving]) -> Counter[str]:
    dates = (pair for pair in zip(values, columns, strict=True) if pair[1].is_date)
    return +Counter({column.name: count_zero_dates(one) for one, column in dates})


def _zero_date(table: str, column: str, count: int) -> Diagnostic:
    return Diagnostic(
        rule="zero-date",
        message=f"column {column} of table {table} holds {count} zero dates, such as 0000-00-00",
        why="no calendar has them; to read them as NULL silently would change what the rows say",
        fix=f"correct them, or declare `data_type: VARCHAR` for {column} in sources.yml"
        " and decide in a model (TRY_CAST makes them NULL)",
    )
