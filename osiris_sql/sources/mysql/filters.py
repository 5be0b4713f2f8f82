"""A filter on rows as a condition in the server's SQL, where that tells values as DuckDB does."""

from __future__ import annotations

from collections.abc import Sequence

from osiris_sql.sources.mysql.connect import Connection
from osiris_sql.sources.mysql.encode import INTEGERS, ServerColumn, quote_name
from osiris_sql.types.relation import Comparison, RowFilter

NUMBERS = frozenset({*INTEGERS, "decimal"})
ODD_NUMBERS = frozenset({"year", "bit"})
"""The server takes a number for a year of two digits, or for text, unless it is made to count."""
LITERALS = {
    ("date", "date"): "DATE",
    ("timestamp", "datetime"): "TIMESTAMP",
    ("timestamp", "timestamp"): "TIMESTAMP",
}


def filter_condition(connection: Connection, columns: Sequence[ServerColumn], filters: RowFilter) -> str:
    """Return a condition that holds of every row that passes the filter; "" where there is none."""
    kinds = {column.name.lower(): column for column in columns}
    groups = [
        [said for each in group if (said := _comparison(connection, kinds.get(each.column.lower()), each))]
        for group in filters
    ]
    return "(" + " OR ".join(" AND ".join(group) for group in groups) + ")" if groups and all(groups) else ""


def _comparison(connection: Connection, column: ServerColumn | None, each: Comparison) -> str:
    if column is None:
        return ""
    name = quote_name(column.name)
    if not each.values:
        return f"{name} {each.operator}"
    values = [connection.escape(value) for value in each.values]
    if each.kind == "number" and column.kind in NUMBERS | ODD_NUMBERS:
        # In quotes they would be compared as DOUBLE.
        name, values = f"{name} + 0" if column.kind in ODD_NUMBERS else name, list(each.values)
    elif (each.kind, column.kind) in LITERALS:
        values = [f"{LITERALS[each.kind, column.kind]} {value}" for value in values]
    elif each.kind == "text" and column.charset is not None:
        # Not by its collation, to which 'A' may be 'a', and 'a ' too.
        bytes_ = [f"CAST({value} AS BINARY)" for value in values]
        compared = _compared(f"CAST(CONVERT({name} USING utf8mb4) AS BINARY)", each, bytes_)
        # A text beyond max_allowed_packet is cast to NULL, and must be read.
        return f"COALESCE({compared}, {name} IS NOT NULL)"
    else:
        return ""
    return _compared(name, each, values)


def _compared(value: str, each: Comparison, literals: Sequence[str]) -> str:
    right = f"({', '.join(literals)})" if each.operator == "IN" else literals[0]
    return f"{value} {each.operator} {right}"
