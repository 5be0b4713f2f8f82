"""Runs what a source yields through DuckDB, as the engine does, and returns the rows that arrived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from osiris_sql.protocols import ArrowRows, Rows, Source, TableRead
from osiris_sql.types.relation import Column


def columns(**types: str) -> tuple[Column, ...]:
    """Columns by name and DuckDB type, in order."""
    return tuple(Column(name=name, type=type_) for name, type_ in types.items())


def request(identifier: str, wanted: tuple[Column, ...], **more: Any) -> TableRead:
    """A read of these columns of a table."""
    return TableRead(node=f"source:test.{identifier}", identifier=identifier, columns=wanted, **more)


def arrive(rows: Rows, wanted: tuple[Column, ...]) -> tuple[list[str], list[tuple[str | None, ...]]]:
    """Put the rows into a DuckDB table of the wanted types; return its types, and its values as text."""
    failure: list[Exception] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from rows.batches
        except Exception as error:
            failure.append(error)
            raise

    schema = rows.batches.schema if isinstance(rows, ArrowRows) else rows.schema
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("incoming", pa.RecordBatchReader.from_batches(schema, watched()))
        select = "FROM incoming" if isinstance(rows, ArrowRows) else rows.select.format(rows="incoming")
        declared = ", ".join(f"c{place} {column.type}" for place, column in enumerate(wanted))
        con.execute(f"CREATE TABLE arrived ({declared})")
        try:
            con.execute(f"INSERT INTO arrived {select}").fetchall()
        except duckdb.Error:
            if failure:
                raise failure[0] from None
            raise
        types = [str(row[1]) for row in con.execute("DESCRIBE arrived").fetchall()]
        return types, con.execute("SELECT COLUMNS(*)::VARCHAR FROM arrived").fetchall()


def read(
    source: Source, identifier: str, wanted: tuple[Column, ...], **more: Any
) -> list[tuple[str | None, ...]]:
    """Read a table through a snapshot of its own and return the values that arrived, as text."""
    with source.snapshot() as snapshot:
        return arrive(snapshot.read(request(identifier, wanted, **more)), wanted)[1]
