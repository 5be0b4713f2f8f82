"""Source type `duckdb`: tables and views of a DuckDB file, read-only, all as of one instant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from osiris_sql.protocols import ArrowRows, DiscoveredTable, ForeignKey, ProbeResult, Snapshot, TableRead
from osiris_sql.sources._absent import unknown_columns, unknown_table
from osiris_sql.sources._exact import canonical_type, or_error, text_literal, typed_fits
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, OsirisError, StepError, UnreachableError
from osiris_sql.types.observed import ObservedSource
from osiris_sql.types.relation import Column, TableSchema, quote_identifier

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 1 << 14
COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, coalesce(c.comment, '')
FROM duckdb_columns() c WHERE c.database_name = 'source' AND c.schema_name = ?
ORDER BY c.table_name, c.column_index
"""
TABLES = """
SELECT table_name, coalesce(comment, ''), estimated_size FROM duckdb_tables()
WHERE database_name = 'source' AND schema_name = $schema
UNION ALL SELECT view_name, coalesce(comment, ''), NULL FROM duckdb_views()
WHERE database_name = 'source' AND schema_name = $schema AND NOT internal ORDER BY 1
"""
KEYS = """
SELECT table_name, constraint_column_names, referenced_table, referenced_column_names
FROM duckdb_constraints()
WHERE database_name = 'source' AND schema_name = ? AND constraint_type = ? ORDER BY ALL
"""


@dataclass(frozen=True, kw_only=True)
class DuckDBOptions:
    """The file, under the project's root, and the schema of its tables."""

    path: str
    schema: str = "main"


class DuckDBSource:
    """Reads with a DuckDB of its own, to which the file is attached read-only: nobody writes it meanwhile."""

    Options: ClassVar[type] = DuckDBOptions

    def __init__(self, options: DuckDBOptions, root: Path) -> None:
        import duckdb

        self._error = duckdb.Error
        self._options = options
        self._path = root.resolve() / options.path
        self._place = Path(options.path).as_posix()
        self._interrupted = False
        self._cursor: duckdb.DuckDBPyConnection | None = None

    def endpoint(self) -> str:
        """Return the file as the project names it, so that it is the same on every machine."""
        return f"duckdb:{self._place}/{self._options.schema}"

    def probe(self) -> ProbeResult:
        """Open the file and say how many tables it holds."""
        with self._opened() as con:
            tables = self._tables(con)
        return ProbeResult(server=f"DuckDB file {self._place}", facts={"tables": str(len(tables))})

    def discover(self, identifiers: Sequence[str] | None) -> list[DiscoveredTable]:
        """Return the named tables and views of the schema, or all; absent names are left out."""
        with self._opened() as con:
            schemas = self._schemas(con)
            tables = self._tables(con)
            found = con.execute(KEYS, [self._options.schema, "FOREIGN KEY"]).fetchall()
        foreign = [
            (name, ForeignKey(columns=tuple(own), table=other, references=tuple(theirs)))
            for name, own, other, theirs in found
        ]
        wanted = tables.keys() if identifiers is None else set(identifiers)
        return [
            DiscoveredTable(
                identifier=name,
                schema=schemas[name],
                comment=comment,
                rows=rows,
                foreign_keys=tuple(key for table, key in foreign if table == name),
            )
            for name, (comment, rows) in tables.items()
            if name in wanted
        ]

    def probe_change(self, tables: Mapping[str, str]) -> list[ObservedSource]:
        """Return the file's hash as the token of its tables; a view may read what is not in the file."""
        if not self._path.exists():
            return [ObservedSource(node=node) for node in tables]
        with self._opened() as con:
            own = {name for name, (_, rows) in self._tables(con).items() if rows is not None}
        log = self._path.with_name(self._path.name + ".wal")
        paths = [self._path, *([log] if log.exists() else [])]
        files = {self._place + path.name.removeprefix(self._path.name): _digest(path) for path in paths}
        token = hashlib.sha256("".join(files.values()).encode()).hexdigest()
        return [
            ObservedSource(node=node, change=token if name in own else None, files=files)
            for node, name in tables.items()
        ]

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open the file for reading; as long as it is open, nobody else can write it."""
        with self._opened() as con:
            yield _Snapshot(self, con)

    def interrupt(self) -> None:
        """Stop the table that is being read, and begin no other."""
        self._interrupted = True
        if (cursor := self._cursor) is not None:
            cursor.interrupt()

    def stream(self, con: duckdb.DuckDBPyConnection, request: TableRead) -> ArrowRows:
        """Return the rows asked for, in exactly the types asked for."""
        import pyarrow as pa

        there = self._schemas(con)
        if request.identifier not in there:
            raise unknown_table(self._place, request.identifier, there)
        columns = tuple(Column(name=c.name, type=canonical_type(c.type)) for c in request.columns)
        select = self._select(there[request.identifier], columns, request)
        with con.cursor() as cursor:
            empty = ", ".join(f"NULL::{c.type} AS {quote_identifier(c.name)}" for c in columns)
            schema = cursor.sql(f"SELECT {empty} LIMIT 0").to_arrow_table().schema
        return ArrowRows(batches=pa.RecordBatchReader.from_batches(schema, self._batches(con, select)))

    def _select(self, there: TableSchema, columns: tuple[Column, ...], request: TableRead) -> str:
        names = [column.name for column in columns]
        if missing := [name for name in names if there.type_of(name) is None]:
            raise unknown_columns(request.identifier, missing, there.names)
        values = ", ".join(_value(column, there.type_of(column.name) or "") for column in columns)
        conditions = [f"(\n{request.where}\n)"] if request.where else []
        if request.watermark is not None and request.since is not None:
            type_ = there.type_of(request.watermark)
            since = f"CAST({text_literal(request.since)} AS {type_})"
            conditions.append(f"{quote_identifier(request.watermark)} >= {since}")
        table = f"source.{quote_identifier(self._options.schema)}.{quote_identifier(request.identifier)}"
        return f"SELECT {values} FROM {table}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")

    def _batches(self, con: duckdb.DuckDBPyConnection, select: str) -> Iterator[pa.RecordBatch]:
        with con.cursor() as cursor:
            self._cursor = cursor
            try:
                if self._interrupted:
                    raise _cancelled()
                yield from cursor.sql(select).to_arrow_reader(BATCH_ROWS)
            except (self._error, OSError) as error:
                raise self._explained(error) from error
            finally:
                self._cursor = None

    def _explained(self, error: Exception) -> OsirisError:
        if self._interrupted:
            return _cancelled()
        return StepError(
            Diagnostic(rule="query-failed", message=f"{self._place} can't be read", why=str(error))
        )

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET arrow_lossless_conversion = true")
            try:
                con.execute(f"ATTACH {text_literal(str(self._path))} AS source (READ_ONLY)")
                con.execute("USE source")
            except duckdb.Error as error:
                raise UnreachableError(
                    Diagnostic(
                        rule="unreadable-database",
                        message=f"{self._place} can't be opened as a DuckDB file",
                        why=str(error).partition("\n")[0],
                        fix="`path` is relative to the root of the project; nobody may be writing the file",
                    )
                ) from error
            yield con

    def _tables(self, con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, int | None]]:
        found = con.execute(TABLES, {"schema": self._options.schema}).fetchall()
        return {name: (comment, rows) for name, comment, rows in found}

    def _schemas(self, con: duckdb.DuckDBPyConnection) -> dict[str, TableSchema]:
        found = con.execute(KEYS, [self._options.schema, "PRIMARY KEY"]).fetchall()
        keys = {name: tuple(key) for name, key, *_ in found}
        columns: dict[str, list[Column]] = {}
        for table, name, type_, nullable, comment in con.execute(COLUMNS, [self._options.schema]).fetchall():
            column = Column(name=name, type=type_, nullable=nullable, description=comment)
            columns.setdefault(table, []).append(column)
        return {
            name: TableSchema(columns=tuple(own), key=keys.get(name, ())) for name, own in columns.items()
        }


class _Snapshot:
    position: str | None = None

    def __init__(self, source: DuckDBSource, con: duckdb.DuckDBPyConnection) -> None:
        self._source = source
        self._con = con

    def read(self, request: TableRead) -> ArrowRows:
        return self._source.stream(self._con, request)


def _value(column: Column, source: str) -> str:
    name = quote_identifier(column.name)
    if source == column.type:
        return name
    return or_error(name, column.type, typed_fits(name, source, column.type), f"column {column.name}")


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _cancelled() -> CancelledError:
    return CancelledError(Diagnostic(rule="interrupted", message="reading was interrupted"))


PLUGIN = DuckDBSource
