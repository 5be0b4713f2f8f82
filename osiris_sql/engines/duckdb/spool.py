"""Rows of the warehouse written to a spool file, for a target to take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import duckdb

from osiris_sql.protocols import SpoolSpec
from osiris_sql.types.relation import RelationRef

# An attached file has one name in the whole process, and several steps may spool at once.
_NUMBERS = count()


def attach_spool(cursor: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Attach a new database file to write to, and return the name that it has; `seal_spool` ends it."""
    name = f"osiris_spool_{next(_NUMBERS)}"
    cursor.execute(f"ATTACH {_text(_unsealed(path))} AS {name} (READ_WRITE, STORAGE_VERSION 'v1.5.0')")
    return name


def seal_spool(cursor: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Let go of an attached file after its transaction; from now on it stands at `path`, for others to open.

    A query beside this one that lists the tables of all databases keeps a detached one open until it ends,
    and so long no other connection of the process may attach its path (seen on DuckDB 1.5.5). So all of it
    is in the file before it is detached, and the file gets its path afterwards.
    """
    # Without FORCE it fails while such a query runs, instead of waiting for it.
    cursor.execute(f"FORCE CHECKPOINT {name}")
    cursor.execute(f"DETACH {name}")
    _unsealed(path).replace(path)


def _unsealed(path: Path) -> Path:
    return path.with_name(f"{path.name}.unsealed")


def rows_of(relation: RelationRef, part: range | None) -> str:
    """Return the rows of a relation as they stand in FROM, or a part of a table, in the order of adding.

    DuckDB numbers the rows of a table as they come, and only deleting some leaves gaps.
    """
    return relation.sql + (
        f" WHERE rowid >= {part.start} AND rowid < {part.stop}" if part is not None else ""
    )


def spool_statement(source: str, spec: SpoolSpec, path: Path, attached: Sequence[str]) -> str:
    """Return the statement that writes the rows; those of a database go to the last one of `attached`."""
    query = f"SELECT {', '.join(spec.projection)} FROM {source}"
    if spec.kind == "duckdb":
        return f"CREATE TABLE {attached[-1]}.main.spool AS {query}"
    options = f", {spec.options}" if spec.options else ""
    return f"COPY ({query}) TO {_text(path)} (FORMAT {spec.kind}{options})"


def write_spool(
    cursor: duckdb.DuckDBPyConnection,
    source: str,
    spec: SpoolSpec,
    path: Path,
    attached: Sequence[str],
) -> int:
    """Write the rows of `source` and return how many."""
    statement = spool_statement(source, spec, path, attached)
    # Rows in order wait in memory for those before them: 308 MB for a million of 12 columns, 69 without.
    cursor.execute(f"SET SESSION preserve_insertion_order = {spec.ordered}")
    [(rows,)] = cursor.execute(statement).fetchall()
    cursor.execute("SET SESSION preserve_insertion_order = true")
    return int(rows)


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
