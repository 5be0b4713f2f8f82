"""Streams the lines of one table: bounded batches, and nothing lost without an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.cursors import SSCursor

from osiris_sql.types.diagnostic import Diagnostic, StepError

BATCH_BYTES = 4 << 20
BATCH_ROWS = 1 << 15
SCHEMA = pa.schema([("line", pa.string())])


def line_batches(cursor: SSCursor, table: str, dates: Mapping[int, str]) -> Iterator[pa.RecordBatch]:
    """Yield the lines under the cursor; `dates` names the columns, by place, that hold dates.

    Raises StepError for a line that the server could not make, and, after counting them all, for
    dates with a zero in them.
    """
    zeros: Counter[str] = Counter()
    for lines in _chunks(cursor, table):
        batch = _record_batch(lines, table)
        if dates:
            zeros += _zero_dates(batch, dates)
        if not zeros:
            yield batch
    if zeros:
        raise StepError(*(_zero_date(table, name, count) for name, count in sorted(zeros.items())))


def _chunks(cursor: SSCursor, table: str) -> Iterator[list[bytes]]:
    lines: list[bytes] = []
    size = 0
    for (line,) in iter(cursor.fetchone, None):
        if line is None:
            raise _line_too_long(table)
        lines.append(line)
        size += len(line)
        if size >= BATCH_BYTES or len(lines) >= BATCH_ROWS:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def _record_batch(lines: list[bytes], table: str) -> pa.RecordBatch:
    try:
        text = pa.array(lines, type=pa.binary()).cast(pa.string())
    except pa.ArrowInvalid as error:
        raise StepError(
            Diagnostic(
                rule="invalid-text",
                message=f"table {table} holds text that is not valid in its character set",
                why=str(error),
                fix="correct it at the source, or declare the column's character set there as it is",
            )
        ) from error
    return pa.record_batch([text], schema=SCHEMA)


def _zero_dates(batch: pa.RecordBatch, dates: Mapping[int, str]) -> Counter[str]:
    """Count the dates with a zero month or day, which MySQL allows and no calendar has."""
    suspects = batch.filter(pc.match_substring(batch.column(0), "-00")).column(0).to_pylist()
    found: Counter[str] = Counter()
    for line in suspects:
        fields = line.split("\x1f")
        found.update(name for place, name in dates.items() if "-00" in fields[place][:10])
    return found


def _zero_date(table: str, column: str, count: int) -> Diagnostic:
    return Diagnostic(
        rule="zero-date",
        message=f"column {column} of table {table} holds {count} zero dates, such as 0000-00-00",
        why="no calendar has them; to read them as NULL silently would change what the rows say",
        fix=f"correct them, or declare `data_type: VARCHAR` for {column} in sources.yml"
        " and decide in a model (TRY_CAST makes them NULL)",
    )


def _line_too_long(table: str) -> StepError:
    return StepError(
        Diagnostic(
            rule="row-too-long",
            message=f"a row of table {table} is longer than the server may send",
            why="the row as text exceeds the server's max_allowed_packet (bytes count twice: they go as HEX)",
            fix="raise max_allowed_packet on the server, or don't read its largest column",
        )
    )
