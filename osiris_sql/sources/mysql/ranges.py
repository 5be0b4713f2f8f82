"""Cuts a table into ranges of its key, for several connections to read at once."""

from __future__ import annotations

from itertools import pairwise

from osiris_sql.sources.mysql.catalog import ServerTable, primary_key, row_estimate
from osiris_sql.sources.mysql.connect import Connection, query
from osiris_sql.sources.mysql.encode import INTEGERS, quote_name

WORTH_IT = 200_000
"""Rows from which more connections than one are used."""
PER_CONNECTION = 4
"""Ranges a connection, for keys are seldom spread evenly."""


def key_ranges(connection: Connection, database: str, table: ServerTable, readers: int) -> list[str]:
    """Return conditions of which each row fulfills exactly one; a single one, always true, if it is not
    worth cutting the table or there is no whole number to cut it by."""
    whole = ["true"]
    key = primary_key(connection, database, table.name)
    kind = next((column.kind for column in table.columns if key and column.name == key[0]), None)
    if readers == 1 or kind not in INTEGERS or row_estimate(connection, database, table.name) < WORTH_IT:
        return whole
    name = quote_name(key[0])
    [(least, most)] = query(
        connection, f"SELECT MIN({name}), MAX({name}) FROM {quote_name(database)}.{quote_name(table.name)}"
    )
    if least is None:
        return whole
    count = readers * PER_CONNECTION
    bounds = sorted({least + (most - least) * place // count for place in range(1, count)})
    between = [f"{name} >= {low} AND {name} < {high}" for low, high in pairwise(bounds)]
    return [f"{name} < {bounds[0]}", *between, f"{name} >= {bounds[-1]}"]
