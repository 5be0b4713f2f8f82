"""The DuckDB connections of a target that computes with DuckDB: set up alike, stopped together, explained."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from osiris_sql.targets._rows import explain_failure
from osiris_sql.types.diagnostic import CancelledError, Diagnostic
from osiris_sql.types.plan import Publish

if TYPE_CHECKING:
    import duckdb

# A file that closes in one thread while another opens it counts as attached already (DuckDB 1.5.5 and 2.0.0).
_opening: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class OpenConnections:
    """What a target has open at the moment; `interrupt` is for another thread."""

    def __init__(self, memory_limit: str) -> None:
        self._memory_limit = memory_limit
        self._open: set[Any] = set()
        self._stop = threading.Event()

    def interrupt(self) -> None:
        """Stop the running statements; their transactions roll back."""
        self._stop.set()
        for connection in list(self._open):
            connection.interrupt()

    @contextmanager
    def connected(
        self, database: str, config: Mapping[str, str], **settings: str
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a database, in UTC and within the target's memory limit."""
        import duckdb

        opening = _opening[os.path.realpath(database)]
        with opening:
            connection = duckdb.connect(database, config={"autoinstall_known_extensions": "false", **config})
        self._open.add(connection)
        try:
            connection.execute("SET enable_progress_bar = false")
            for name, value in {"TimeZone": "UTC", "memory_limit": self._memory_limit, **settings}.items():
                connection.execute(f"SET {name} = '{value}'")
            yield connection
        finally:
            self._open.discard(connection)
            with opening:
                connection.close()

    @contextmanager
    def explained(self, publication: Publish, where: str) -> Iterator[None]:
        """Turn what DuckDB or the disk say into the person's words; `where` names the file."""
        import duckdb

        try:
            yield
        except (duckdb.Error, OSError) as error:
            if self._stop.is_set():
                cancelled = Diagnostic(rule="cancelled", message="publishing was interrupted")
                raise CancelledError(cancelled) from None
            raise explain_failure(error, publication, where) from None
