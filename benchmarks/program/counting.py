"""Counts the statements that a command of ours has DuckDB execute on a file, by DuckDB's own query log.

`python -m benchmarks.program.counting FOLDER build` is `osiris-sql build` with that log written to FOLDER.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.program.place import Place, environ
from benchmarks.program.process import run_command

LOGGING = "CALL enable_logging('QueryLog', storage = 'file', storage_config = {{'path': '{}'}})"
ENTRIES = "duckdb_log_entries.csv"


def executed(place: Place, root: Path, *words: str, more: Mapping[str, str] | None = None) -> list[str]:
    """Run a command of ours in the project at `root`; returns the statements, in order, of all files."""
    log = place.subfolder(f"statements-{len(list(place.folder.glob('statements-*')))}")
    command = [sys.executable, "-m", "benchmarks.program.counting", str(log), *words]
    run_command(command, root, environ(**(more or {})))
    found = []
    for path in sorted(log.glob(f"*/{ENTRIES}")):
        with path.open(newline="") as file:
            found += [row["message"] for row in csv.DictReader(file) if row["type"] == "QueryLog"]
    return found


def _log_statements_of(duckdb: Any, folder: Path) -> None:
    connect, opened = duckdb.connect, []

    def connect_and_log(database: str = ":memory:", *given: Any, **named: Any) -> Any:
        connection = connect(database, *given, **named)
        if database != ":memory:":
            opened.append(database)
            connection.execute(LOGGING.format(folder / f"{len(opened):03}"))
        return connection

    duckdb.connect = connect_and_log


if __name__ == "__main__":
    import duckdb

    from osiris_sql.cli import main

    _log_statements_of(duckdb, Path(sys.argv[1]))
    sys.argv = ["osiris-sql", *sys.argv[2:]]
    main()
