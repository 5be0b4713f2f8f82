"""The condition by which the server picks the rows at or after a watermark."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from osiris_sql.sources.mysql.connect import Connection
from osiris_sql.sources.mysql.encode import INTEGERS, ServerColumn, quote_name
from osiris_sql.types.diagnostic import Diagnostic, StepError

NUMBERS = frozenset({*INTEGERS, "decimal", "float", "double", "year"})
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
DAY_OR_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?)?")
OFFSET = re.compile(r"[+-]\d{2}(:\d{2}){0,2}$")


def since_condition(connection: Connection, column: ServerColumn, since: str) -> str:
    """Return `column >= since` in the server's SQL, for `since` as DuckDB prints it.

    Raises StepError where the server would order values in another way than DuckDB does.
    """
    name = quote_name(column.name)
    if column.kind in NUMBERS and NUMBER.fullmatch(since):
        # A number in quotes would be compared as DOUBLE, and a big BIGINT would be rounded.
        return f"{name} >= {since}"
    if column.kind in {"date", "datetime", "timestamp"}:
        instant = _in_utc(since)
        if DAY_OR_INSTANT.fullmatch(instant):
            return f"{name} >= {connection.escape(instant)}"
    if column.charset is not None:
        # DuckDB orders text by its bytes in UTF-8; a collation would lose rows.
        return f"CAST(CONVERT({name} USING utf8mb4) AS BINARY) >= CAST({connection.escape(since)} AS BINARY)"
    raise StepError(
        Diagnostic(
            rule="unsupported-watermark",
            message=f'column {column.name} ({column.kind}) can\'t be compared with the watermark "{since}"',
            fix="choose a column of whole numbers, DATE, DATETIME or TIMESTAMP as the watermark",
        )
    )


def _in_utc(since: str) -> str:
    offset = OFFSET.search(since) if " " in since or "T" in since else None
    if offset is None:
        return since
    if offset[0] in {"+00", "+00:00"}:
        return since[: offset.start()]
    full = since if ":" in offset[0] else since + ":00"
    return datetime.fromisoformat(full).astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
