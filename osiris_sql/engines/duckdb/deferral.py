"""Another environment's warehouse, read where this one lacks a relation."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb

from osiris_sql.engines.duckdb.failure import explain_unopened, is_locked
from osiris_sql.types.diagnostic import Diagnostic, UnreachableError
from osiris_sql.types.relation import quote_identifier

DEFERRED = "osiris_deferred"

HEADERS = 3 * 4096
"""Bytes of a DuckDB file that tell which checkpoint it holds."""
ATTEMPTS = 5


def attach_deferred(connection: duckdb.DuckDBPyConnection, warehouse: Path, copy: Path) -> None:
    """Attach a warehouse read-only as `osiris_deferred`; where a run holds it, a `copy` of its last commit.

    Raises UnreachableError if it can't be opened.
    """
    try:
        _attach(connection, warehouse)
    except duckdb.Error as error:
        if not is_locked(error):
            raise explain_unopened(error, warehouse) from error
        copy_warehouse(warehouse, copy)
        _attach(connection, copy)


def search_path(own: str, schemas: Iterable[str]) -> str:
    """Return the statement that looks for a name here first, then in the attached warehouse."""
    names = sorted({"main", *schemas})
    places = [f"{quote_identifier(d)}.{quote_identifier(s)}" for d in (own, DEFERRED) for s in names]
    return f"SET search_path = '{','.join(places).replace(chr(39), chr(39) * 2)}'"


def copy_warehouse(warehouse: Path, copy: Path) -> None:
    """Copy a warehouse that another process writes, as of a commit; raises UnreachableError if it does not
    stand still between two checkpoints.

    Until the next checkpoint no block that the headers or the log speak of is written again, so the log
    before the blocks, and headers that stay, make a whole. A half-written end of the log is no commit.
    """
    logs = [Path(f"{place}.wal") for place in (warehouse, copy)]
    for _ in range(ATTEMPTS):
        before = _headers(warehouse)
        logs[1].unlink(missing_ok=True)
        if logs[0].exists():
            shutil.copyfile(*logs)
        shutil.copyfile(warehouse, copy)
        if _headers(warehouse) == before:
            return
    raise UnreachableError(
        Diagnostic(
            rule="warehouse-in-use",
            message=f"the warehouse {warehouse.name} is written faster than it can be copied",
            why="a run holds it, so it can only be read from a copy",
            fix="wait until that run ends",
        )
    )


def remove_copy(copy: Path) -> None:
    """Remove a copy, if there is one."""
    copy.unlink(missing_ok=True)
    Path(f"{copy}.wal").unlink(missing_ok=True)


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    place = str(path).replace("'", "''")
    connection.execute(f"ATTACH '{place}' AS {DEFERRED} (READ_ONLY)")


def _headers(warehouse: Path) -> bytes:
    with warehouse.open("rb") as file:
        return file.read(HEADERS)
