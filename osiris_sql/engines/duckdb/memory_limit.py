"""The memory of a run that so far only looks at its tables: little, as what is read once need not be kept.

Memory that is used again costs nothing, while each page that is touched for the first time costs the system
a fault: a tenth of the processor that the tests of large tables take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import duckdb

from osiris_sql.types.diagnostic import StepError, UnaskedError

T = TypeVar("T")

LITTLE = 32
"""Megabytes for each thread: several times what one holds while it scans a few columns."""


class MemoryLimit:
    """What DuckDB may take: little from the first look on, all of it once anything needs more.

    A limit that somebody has set stays as it is.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, is_set: bool) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        # By name: 1.5.5 says that it takes its default again, and does not.
        [(self._whole,)] = connection.execute("SELECT current_setting('memory_limit')").fetchall()
        self._is_narrow = False
        self._is_wide = is_set

    def look(self, ask: Callable[[], T]) -> T | None:
        """Return what a question comes to that only reads, and needs no transaction; None if it must be
        asked with more memory."""
        if self._narrow():
            try:
                return ask()
            except UnaskedError:
                raise  # a test that is wrong is as wrong with more memory
            except (duckdb.OutOfMemoryException, StepError):
                pass
        return None

    def _narrow(self) -> bool:
        with self._lock:
            if not self._is_wide and not self._is_narrow:
                try:
                    self._set(f"(current_setting('threads') * {LITTLE}) || 'MB'")
                    self._is_narrow = True
                except duckdb.OutOfMemoryException:
                    self._is_wide = True
            return not self._is_wide

    def widen(self) -> None:
        """Take as much memory as DuckDB does by itself, from now on."""
        if not self._is_wide:
            with self._lock:
                if self._is_narrow:
                    self._set(f"'{self._whole}'")
                self._is_narrow, self._is_wide = False, True

    def _set(self, limit: str) -> None:
        cursor = self._connection.cursor()
        cursor.execute(f"SET GLOBAL memory_limit = {limit}")
        cursor.close()
