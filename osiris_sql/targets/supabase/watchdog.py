"""Notices that nobody works for us any more: a pooler that lost the backend answers neither yes nor no."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Protocol

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.types.diagnostic import UnreachableError

# A backend that waits for rows which we wait to be rid of is as good as none, unless some of them arrive:
# buffers on the way may hold the rest of a COPY for minutes.
_AT_WORK = """
SELECT state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead', {copied}
FROM pg_catalog.pg_stat_activity AS a WHERE pid = %s"""
_COPIED = "(SELECT bytes_processed FROM pg_catalog.pg_stat_progress_copy AS c WHERE c.pid = a.pid)"
_COUNTS_COPIED = 140000
LOOKS = 3


class _Readable(Protocol):
    def read(self, size: int) -> bytes: ...


class BeatingCursor(Cursor):
    """A cursor that counts what it has begun: statements, and blocks of rows."""

    beats = 0

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 (psycopg2's name)
        """Run a statement."""
        self.beats += 1
        super().execute(query, vars)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        """Run COPY with the blocks of a file."""
        super().copy_expert(sql, _Counted(self, file), size)  # type: ignore[arg-type]  # it calls read alone


class _Counted:
    def __init__(self, cursor: BeatingCursor, file: _Readable) -> None:
        self._cursor, self._file = cursor, file

    def read(self, size: int) -> bytes:
        self._cursor.beats += 1
        return self._file.read(size)


@contextmanager
def watched(cursor: BeatingCursor, pid: int, ask: Callable[[], Connection], seconds: float) -> Iterator[None]:
    """Look every so many seconds, while the block runs, whether the backend `pid` still works for us, or
    takes rows from us.

    If it does not three times in a row, or the server can't be asked, the line is cut: whoever waits for it
    gets the error of a lost connection, and may try again.
    """
    ended = threading.Event()
    arguments = (cursor, pid, ask, seconds, ended)
    thread = threading.Thread(target=_watch, args=arguments, daemon=True, name="publishing-watchdog")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(
    cursor: BeatingCursor, pid: int, ask: Callable[[], Connection], seconds: float, ended: threading.Event
) -> None:
    missed, seen, copied = 0, -1, 0
    while not ended.wait(seconds):
        waiting = cursor.connection.info.transaction_status == TRANSACTION_STATUS_ACTIVE
        stuck, seen = waiting and seen == cursor.beats, cursor.beats
        at_work, arrived = _look(pid, ask) if stuck else (True, 0)
        missed = 0 if at_work or arrived not in (0, copied) else missed + 1
        copied = arrived
        if missed == LOOKS:
            _cut(cursor.connection)
            return


def _look(pid: int, ask: Callable[[], Connection]) -> tuple[bool, int]:
    """Whether the backend works, and how many bytes of a COPY it has taken."""
    try:
        with closing(ask()) as other, other.cursor() as cursor:
            copied = _COPIED if other.server_version >= _COUNTS_COPIED else "0"
            cursor.execute(_AT_WORK.format(copied=copied), (pid,))
            at_work, arrived = cursor.fetchone() or (False, 0)
            return at_work is True, arrived or 0
    except (psycopg2.Error, UnreachableError):
        return False, 0


def _cut(connection: Connection) -> None:
    # Of a copy of its number, so that the connection's own is closed by nobody else.
    with suppress(OSError, psycopg2.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
