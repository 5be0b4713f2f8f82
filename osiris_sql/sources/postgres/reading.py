"""Reads one table: only the columns and rows that were asked for, streaming."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg2
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812

from osiris_sql.protocols import EncodedRows, TableRead
from osiris_sql.sources._absent import unknown_columns, unknown_table
from osiris_sql.sources._exact import canonical_type
from osiris_sql.sources.postgres.catalog import read_columns
from osiris_sql.sources.postgres.copying import SCHEMA, line_batches
from osiris_sql.sources.postgres.encode import ServerColumn, decode_select, since_condition
from osiris_sql.types.diagnostic import OsirisError
from osiris_sql.types.relation import Column, quote_identifier

Explain = Callable[[psycopg2.Error], OsirisError]


def read_table(connection: Connection, schema: str, request: TableRead, explain: Explain) -> EncodedRows:
    """Return the rows of a table; raises StepError for what is not there, with the nearest names."""
    found = read_columns(connection, schema, [request.identifier]).get(request.identifier)
    if found is None:
        everything = read_columns(connection, schema, None)
        raise unknown_table(f"schema {schema}", request.identifier, everything)
    wanted = tuple(Column(name=c.name, type=canonical_type(c.type)) for c in request.columns)
    columns = _matched(found, request.identifier, [column.name for column in wanted])
    names = ", ".join(quote_identifier(column.name) for column in columns)
    table = f"{quote_identifier(schema)}.{quote_identifier(request.identifier)}"
    conditions = [f"(\n{request.where}\n)"] if request.where else []
    if request.watermark is not None and request.since is not None:
        [column] = _matched(found, request.identifier, [request.watermark])
        conditions.append(since_condition(column, request.since))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    select = f"SELECT {names} FROM {table}{where}"
    rows, decode = _explained(connection, select, explain), decode_select(columns, wanted)
    return EncodedRows(batches=rows, schema=SCHEMA, select=decode)


def _explained(connection: Connection, select: str, explain: Explain) -> Iterator[pa.RecordBatch]:
    try:
        yield from line_batches(connection, select)
    except psycopg2.Error as error:
        raise explain(error) from error


def _matched(found: list[ServerColumn], table: str, names: list[str]) -> list[ServerColumn]:
    """The server's columns of these names; where only the case differs, the one that is alone."""
    by_name = {column.name.lower(): column for column in found}
    by_name |= {column.name: column for column in found}
    missing = [name for name in names if name not in by_name and name.lower() not in by_name]
    if missing:
        raise unknown_columns(table, missing, [column.name for column in found])
    return [by_name.get(name) or by_name[name.lower()] for name in names]
