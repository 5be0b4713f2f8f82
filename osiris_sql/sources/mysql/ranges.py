"""Cuts a table into ranges of its key, for several connections to read at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from osiris_sql.sources.mysql.catalog import (
    ServerTable,
    primary_keys,
    row_estimates,
    table_columns,
)
from osiris_sql.sources.mysql.connect import Connection, query
from osiris_sql.sources.mysql.encode import INTEGERS, ServerColumn, quote_name

WORTH_IT = 200_000
"""Rows from which more connections than one are used."""
PER_CONNECTION = 4
"""Ranges a connection, for keys are seldom spread evenly."""


def key_ranges(connection: Connection, database: str, table: ServerTable, readers: int) -> list[str]:
    """Return conditions of which each row fulfills exactly one; none if the table is not worth cutting, or
    there is no whole number to cut it by."""
    key = primary_keys(connection, database, [table.name]).get(table.name, [])
    rows = row_estimates(connection, database, [table.name]).get(table.name, 0)
    if _why_whole(key, table.columns, rows):
        return []
    name = quote_name(key[0])
    [(least, most)] = query(
        connection, f"SELECT MIN({name}), MAX({name}) FROM {quote_name(database)}.{quote_name(table.name)}"
    )
    if least is None:
        return []
    count = readers * PER_CONNECTION
    bounds = sorted({least + (most - least) * place // count for place in range(1, count)})
    between = [f"{name} >= {low} AND {name} < {high}" for low, high in pairwise(bounds)]
    return [f"{name} < {bounds[0]}", *between, f"{name} >= {bounds[-1]}"]


def foretell_ranges(
    connection: Connection, database: str, names: Sequence[str], readers: int
) -> dict[str, str]:
    """Return over how many connections each table will be read, and why, in words."""
    columns = table_columns(connection, database, names)
    keys = primary_keys(connection, database, names)
    sizes = row_estimates(connection, database, names)
    said = {}
    for name in columns:
        why = _why_whole(keys.get(name, []), columns[name], sizes.get(name, 0))
        cut = f"{readers} connections at once, by ranges of {''.join(keys.get(name, [])[:1])}"
        said[name] = f"one connection: {why}" if why else cut
    return said


def _why_whole(key: Sequence[str], columns: Iterable[ServerColumn], rows: int) -> str:
    """Say why a table is read in one piece; "" if it is cut."""
    kind = next((column.kind for column in columns if key and column.name == key[0]), None)
    if kind not in INTEGERS:
        return "its key begins with no whole number" if key else "it has no key"
    return f"the server estimates less than {WORTH_IT:,} rows" if rows < WORTH_IT else ""
