"""COPY ... TO STDOUT as batches of lines: one thread takes them from the server, bounded by a pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
from psycopg2.extensions import connection as Connection  # noqa: N812

BATCH_BYTES = 4 << 20
PIPE_BYTES = 1 << 16
SCHEMA = pa.schema([("line", pa.string())])


def line_batches(connection: Connection, select: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a query as COPY writes them; raises what the server said, after the last of them.

    A read that is given up is cancelled at the server, and the transaction goes on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT reading")
    failure: list[psycopg2.Error] = []
    out, into = os.pipe()
    with os.fdopen(out, "rb", buffering=0) as lines:
        said = (connection, select, into, failure)
        copying = threading.Thread(target=_copy, args=said, name="postgres-copy", daemon=True)
        copying.start()
        done = False
        try:
            yield from _batches(lines)
            done = True
        finally:
            if not done:
                with suppress(psycopg2.Error):
                    connection.cancel()
                while lines.read(PIPE_BYTES):
                    pass  # what is under way must be taken, or the thread would wait for ever
            copying.join()
            _finish(connection, failed=bool(failure))
    if failure:
        raise failure[0]


def _copy(connection: Connection, select: str, into: int, failure: list[psycopg2.Error]) -> None:
    with os.fdopen(into, "wb", buffering=PIPE_BYTES) as lines, connection.cursor() as cursor:
        try:
            cursor.copy_expert(f"COPY ({select}) TO STDOUT", lines)
        except psycopg2.Error as error:
            failure.append(error)


def _finish(connection: Connection, *, failed: bool) -> None:
    """Leave the transaction as it was, with its instant, if the connection still is."""
    with suppress(psycopg2.Error), connection.cursor() as cursor:
        if failed:
            cursor.execute("ROLLBACK TO SAVEPOINT reading")
        cursor.execute("RELEASE SAVEPOINT reading")


def _batches(lines: BinaryIO) -> Iterator[pa.RecordBatch]:
    waiting = bytearray()
    while some := lines.read(PIPE_BYTES):
        waiting += some
        if len(waiting) >= BATCH_BYTES and (end := waiting.rfind(b"\n")) >= 0:
            yield _batch(bytes(waiting[:end]))
            del waiting[: end + 1]
    if waiting:
        yield _batch(bytes(waiting[:-1]))


def _batch(text: bytes) -> pa.RecordBatch:
    """Lines as Arrow strings, without a Python object a line."""
    whole = pa.array([text], type=pa.binary()).cast(pa.string())
    return pa.record_batch([pc.split_pattern(whole, "\n").flatten()], schema=SCHEMA)
