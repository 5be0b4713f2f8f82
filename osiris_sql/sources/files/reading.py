"""Reads the files of a table, one after the other, as Arrow batches in exactly the types asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from osiris_sql.protocols import ArrowRows, TableRead
from osiris_sql.sources._exact import canonical_type, text_literal
from osiris_sql.sources.files.failure import explain_failure, missing_columns
from osiris_sql.sources.files.locate import TableFiles, cancelled, find_files, place_of
from osiris_sql.sources.files.options import Options
from osiris_sql.sources.files.relation import FileRelation, json_keys, open_csv, open_json, open_parquet
from osiris_sql.types.diagnostic import Diagnostic, Location, OsirisError, StepError
from osiris_sql.types.relation import Column, quote_identifier

if TYPE_CHECKING:
    from osiris_sql.sources.files import FilesSource

BATCH_ROWS = 1 << 14


def connect() -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB whose answers don't depend on the machine."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET arrow_lossless_conversion = true")
    con.execute("SET preserve_insertion_order = true")
    return con


def open_file(
    con: duckdb.DuckDBPyConnection,
    files: TableFiles,
    path: Path,
    place: str,
    options: Options,
    *,
    keys: list[str],
) -> FileRelation:
    """Return one file as a relation; `keys` are the columns to take from a JSON lines file."""
    if files.format == "csv":
        return open_csv(path, place, options)
    if files.format == "jsonl":
        return open_json(path, keys)
    try:
        return open_parquet(con, path)
    except duckdb.Error as error:
        raise StepError(
            Diagnostic(
                rule="unreadable-file",
                message="the file can't be read as Parquet",
                why=str(error).split("\n", 1)[0],
                location=Location(path=place),
            )
        ) from error


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a read asks for, with types as DuckDB prints them."""

    columns: tuple[Column, ...]
    watermark: str | None
    since: str | None
    where: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]


class FilesSnapshot:
    """Reads tables from files, and fails if one changes while it is read."""

    position: str | None = None

    def __init__(self, source: FilesSource, con: duckdb.DuckDBPyConnection) -> None:
        self._source = source
        self._con = con

    def read(self, request: TableRead) -> ArrowRows:
        """Return the rows asked for, file by file in name order, streaming."""
        files = find_files(self._source.folder, request.identifier)
        columns = tuple(
            Column(name=c.name, type=canonical_type(c.type), nullable=c.nullable) for c in request.columns
        )
        wanted = Wanted(
            columns=columns, watermark=request.watermark, since=request.since, where=request.where
        )
        empty = ", ".join(f"NULL::{c.type} AS {quote_identifier(c.name)}" for c in columns)
        with self._con.cursor() as cursor:
            schema = cursor.sql(f"SELECT {empty} LIMIT 0").to_arrow_table().schema
        return ArrowRows(batches=pa.RecordBatchReader.from_batches(schema, self._stream(files, wanted)))

    def _stream(self, files: TableFiles, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        never_seen = set(wanted.names) if files.format == "jsonl" else set[str]()
        rows = 0
        for path in files.paths:
            before = _identity(path)
            for batch in self._stream_file(files, path, wanted):
                rows += batch.num_rows
                never_seen -= {name for name in never_seen if batch.column(name).null_count < batch.num_rows}
                yield batch
            if _identity(path) != before:
                raise self._changed(path)
        if never_seen and rows:
            self._demand_keys(files, sorted(never_seen))

    def _demand_keys(self, files: TableFiles, names: list[str]) -> None:
        """A key that no line has at all is no column of NULLs: it was renamed, or mistyped."""
        keys = json_keys(self._con, files.paths)
        if missing := [name for name in names if name not in keys]:
            raise missing_columns(missing, keys, place_of(files.paths[0], self._source.root))

    def _stream_file(self, files: TableFiles, path: Path, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        place = place_of(path, self._source.root)
        with self._source.reading(self._con) as cursor:
            relation = open_file(cursor, files, path, place, self._source.options, keys=wanted.names)
            try:
                yield from cursor.sql(_select(relation, wanted, place)).to_arrow_reader(BATCH_ROWS)
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                raise self._explain(error, relation, wanted.columns, place) from error

    def _explain(
        self, error: Exception, relation: FileRelation, columns: tuple[Column, ...], place: str
    ) -> OsirisError:
        if self._source.interrupted:
            return cancelled()
        return explain_failure(self._con, error, relation, columns, place, self._source.options)

    def _changed(self, path: Path) -> StepError:
        return StepError(
            Diagnostic(
                rule="file-changed",
                message="the file changed while it was read",
                location=Location(path=place_of(path, self._source.root)),
                fix="write files under another name and rename them when they are complete; build again",
            )
        )


def _select(relation: FileRelation, wanted: Wanted, place: str) -> str:
    by_name = {name.lower(): name for name in relation.types}
    missing = [name for name in wanted.names if name.lower() not in by_name]
    if missing:
        raise missing_columns(missing, list(relation.types), place)
    values = [
        f"{relation.value(by_name[column.name.lower()], column.type)} AS {quote_identifier(column.name)}"
        for column in wanted.columns
    ]
    some = f" WHERE (\n{wanted.where}\n)" if wanted.where else ""
    select = f"SELECT {', '.join(values)} FROM ({relation.sql}){some}"
    if wanted.watermark is None or wanted.since is None:
        return select
    types = {column.name.lower(): column.type for column in wanted.columns}
    if wanted.watermark.lower() not in types:
        raise missing_columns([wanted.watermark], wanted.names, place)
    since = f"CAST({text_literal(wanted.since)} AS {types[wanted.watermark.lower()]})"
    return f"SELECT * FROM ({select}) WHERE {quote_identifier(wanted.watermark)} >= {since}"


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
