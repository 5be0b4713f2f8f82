"""What tables a folder holds, and the schema of each, decided by all of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import duckdb

from osiris_sql.protocols import DiscoveredTable
from osiris_sql.sources.files.failure import explain_failure
from osiris_sql.sources.files.locate import TableFiles, place_of
from osiris_sql.sources.files.options import Options
from osiris_sql.sources.files.reading import connect, open_file
from osiris_sql.sources.files.relation import json_keys, open_json
from osiris_sql.sources.files.sniff import Found, resolve, sniff
from osiris_sql.types.diagnostic import Diagnostic, Location, StepError
from osiris_sql.types.relation import Column, TableSchema

LOOK = 1000
"""Lines of JSON that are looked at before all are read."""


def discover_tables(tables: Sequence[TableFiles], root: Path, options: Options) -> list[DiscoveredTable]:
    """Return the schema and the number of rows of each table."""
    with connect() as con:
        return [
            _discover_typed(con, files, root, options)
            if files.format == "parquet"
            else _discover_text(con, files, root, options)
            for files in tables
        ]


def describe_heads(tables: Sequence[TableFiles], root: Path, options: Options) -> list[DiscoveredTable]:
    """Return the columns of each table, as its first file begins; CSV knows no types.

    JSON lines that can't be read are left out: reading them says why.
    """
    described = []
    with connect() as con:
        for files in tables:
            if files.format != "jsonl":
                described.append(_describe_head(con, files, root, options))
            else:
                with suppress(duckdb.Error):
                    described.append(_describe_lines(con, files))
    return described


def _describe_head(
    con: duckdb.DuckDBPyConnection, files: TableFiles, root: Path, options: Options
) -> DiscoveredTable:
    first = files.paths[0]
    types = open_file(con, files, first, place_of(first, root), options, keys=[]).types
    return _table(files, types if files.format == "parquet" else dict.fromkeys(types, ""))


def _describe_lines(con: duckdb.DuckDBPyConnection, files: TableFiles) -> DiscoveredTable:
    path = files.paths[0]
    keys = json_keys(con, [path], LOOK)
    rows, found = sniff(con, open_json(path, keys, LOOK)) if keys else (0, {})
    types = {name: resolve(one, is_json=True) if one.kinds else "" for name, one in found.items()}
    seen: Literal["first rows", "all rows"] = (
        "first rows" if rows == LOOK or len(files.paths) > 1 else "all rows"
    )
    return replace(_table(files, types), seen=seen)


def _discover_typed(
    con: duckdb.DuckDBPyConnection, files: TableFiles, root: Path, options: Options
) -> DiscoveredTable:
    relations = [open_file(con, files, path, place_of(path, root), options, keys=[]) for path in files.paths]
    first = relations[0]
    for other in relations[1:]:
        if other.types != first.types:
            raise _schemas_differ(place_of(other.path, root), place_of(first.path, root))
    rows = sum(con.execute(f"SELECT count(*) FROM ({r.sql})").fetchall()[0][0] for r in relations)
    return _table(files, first.types, rows)


def _discover_text(
    con: duckdb.DuckDBPyConnection, files: TableFiles, root: Path, options: Options
) -> DiscoveredTable:
    keys = _checked_json_keys(con, files, root, options) if files.format == "jsonl" else []
    total, folded = 0, dict[str, Found]()
    for path in files.paths:
        place = place_of(path, root)
        relation = open_file(con, files, path, place, options, keys=keys)
        try:
            rows, found = sniff(con, relation)
        except duckdb.Error as error:
            raise explain_failure(con, error, relation, (), place, options) from error
        if folded and {n.lower() for n in found} != {n.lower() for n in folded}:
            raise _schemas_differ(place, place_of(files.paths[0], root))
        total += rows
        by_name = {name.lower(): value for name, value in found.items()}
        folded = {name: folded.get(name, Found()) | by_name[name.lower()] for name in folded or found}
    is_json = files.format == "jsonl"
    return _table(files, {name: resolve(found, is_json=is_json) for name, found in folded.items()}, total)


def _checked_json_keys(
    con: duckdb.DuckDBPyConnection, files: TableFiles, root: Path, options: Options
) -> list[str]:
    keys: dict[str, None] = {}
    for path in files.paths:
        place = place_of(path, root)
        try:
            keys |= dict.fromkeys(json_keys(con, [path]))
        except duckdb.Error as error:
            relation = open_file(con, files, path, place, options, keys=[])
            raise explain_failure(con, error, relation, (), place, options) from error
    if not keys:
        raise _no_columns(place_of(files.paths[0], root))
    return list(keys)


def _no_columns(place: str) -> StepError:
    return StepError(
        Diagnostic(
            rule="no-columns",
            message="the file holds no JSON object with a key, so its columns can't be known",
            fix="declare the columns with their `data_type` in sources.yml",
            location=Location(path=place),
        )
    )


def _table(files: TableFiles, types: dict[str, str], rows: int | None = None) -> DiscoveredTable:
    columns = tuple(Column(name=name, type=type_) for name, type_ in types.items())
    return DiscoveredTable(identifier=files.identifier, schema=TableSchema(columns=columns), rows=rows)


def _schemas_differ(place: str, first: str) -> StepError:
    return StepError(
        Diagnostic(
            rule="files-differ",
            message=f"the file has other columns or types than {first}",
            why="the files of one table must have the same columns",
            fix="make them two tables by narrower names, or bring the files into one form",
            location=Location(path=place),
        )
    )
