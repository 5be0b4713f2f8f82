"""Rows of a source on their way into a table: streaming, counted, and whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb

from osiris_sql.protocols import ArrowRows, Rows
from osiris_sql.types.relation import Column, RelationRef, quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

STREAM = "osiris_arrival"


class Arrival:
    """One read of a source. An error while reading surfaces as itself, not as DuckDB's text of it:
    Arrow's stream interface carries only a message."""

    def __init__(self, rows: Rows, columns: tuple[Column, ...], progress: Callable[[int, int], None]) -> None:
        self._rows = rows
        self._columns = columns
        self._progress = progress
        self._failure: BaseException | None = None
        self._read = self._bytes = 0

    def insert(self, cursor: duckdb.DuckDBPyConnection, relation: RelationRef) -> int:
        """Insert the rows and return how many the table took."""
        import pyarrow as pa  # a fifth of the start of a build that reads nothing

        reader = pa.RecordBatchReader.from_batches(self._schema(), self._batches())
        cursor.register(STREAM, reader)
        # A bag of rows has no order. To keep the one in which they came, all threads wait for one.
        cursor.execute("SET SESSION preserve_insertion_order = false")
        try:
            [(count,)] = cursor.execute(f"INSERT INTO {relation.sql} {self._select()}").fetchall()
        except Exception as error:
            if self._failure is not None:
                raise self._failure from error
            raise
        finally:
            # After an error the transaction is aborted and refuses even this; the cursor ends with it.
            with suppress(duckdb.Error):
                cursor.unregister(STREAM)
                cursor.execute("SET SESSION preserve_insertion_order = true")
        if self._failure is not None:
            raise self._failure
        return int(count)

    def _schema(self) -> pa.Schema:
        return self._rows.batches.schema if isinstance(self._rows, ArrowRows) else self._rows.schema

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._rows.batches:
                self._read += batch.num_rows
                # The one counts a buffer for each column that shares it, the other what a slice leaves out.
                self._bytes += min(batch.nbytes, batch.get_total_buffer_size())
                self._progress(self._read, self._bytes)
                yield batch
        except BaseException as error:
            self._failure = error
            raise

    def _select(self) -> str:
        if isinstance(self._rows, ArrowRows):
            found = self._rows.batches.schema.names
            casts = (
                f"CAST({quote_identifier(name)} AS {column.type})"
                for name, column in zip(found, self._columns, strict=True)
            )
            return f"SELECT {', '.join(casts)} FROM {STREAM}"
        return self._rows.select.replace("{rows}", STREAM)
