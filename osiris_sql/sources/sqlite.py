"""Source type `sqlite`: tables and views of an SQLite file, read-only, all as of one instant."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from osiris_sql.protocols import DiscoveredTable, EncodedRows, ProbeResult, Snapshot, TableRead
from osiris_sql.sources._absent import unknown_columns, unknown_table
from osiris_sql.sources._exact import canonical_type, from_text, text_literal
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, OsirisError, StepError, UnreachableError
from osiris_sql.types.observed import ObservedSource
from osiris_sql.types.relation import Column, TableSchema, quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1 << 14
STEPS = 10_000
"""Instructions of SQLite between two looks whether somebody interrupted."""

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
NAMED = {"BOOLEAN": "BOOLEAN", "BOOL": "BOOLEAN", "DATE": "DATE", "UUID": "UUID", "JSON": "JSON"} | {
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMP",
    "TIME": "TIME",
}


@dataclass(frozen=True, kw_only=True)
class SqliteOptions:
    """The file, under the project's root."""

    path: str


class SqliteSource:
    """Reads with Python's sqlite3, in one read transaction, which blocks no writer of a WAL file."""

    Options: ClassVar[type] = SqliteOptions

    def __init__(self, options: SqliteOptions, root: Path) -> None:
        self._path = root.resolve() / options.path
        self._place = Path(options.path).as_posix()
        self._interrupted = False

    def endpoint(self) -> str:
        """Return the file as the project names it, so that it is the same on every machine."""
        return f"sqlite:{self._place}"

    def probe(self) -> ProbeResult:
        """Open the file and say how many tables it holds."""
        with self._opened() as con:
            names = _table_names(con)
        return ProbeResult(server=f"SQLite file {self._place}", facts={"tables": str(len(names))})

    def discover(self, identifiers: Sequence[str] | None) -> list[DiscoveredTable]:
        """Return the named tables and views, or all; absent names are left out."""
        with self._opened() as con:
            names = [n for n in _table_names(con) if identifiers is None or n in identifiers]
            return [DiscoveredTable(identifier=name, schema=_schema(con, name)) for name in names]

    def probe_change(self, tables: Mapping[str, str]) -> list[ObservedSource]:
        """Return no tokens: somebody may write the file at any time."""
        return [ObservedSource(node=node) for node in tables]

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open one instant of all tables."""
        with self._opened() as con:
            con.execute("BEGIN")
            con.execute("SELECT count(*) FROM sqlite_master")  # the first read is what fixes the instant
            yield _Snapshot(self, con)

    def interrupt(self) -> None:
        """Stop the table that is being read, and begin no other."""
        self._interrupted = True

    def stream(self, con: sqlite3.Connection, request: TableRead) -> EncodedRows:
        """Return the rows asked for, as text that DuckDB takes for exactly the types asked for."""
        import pyarrow as pa

        if request.identifier not in (names := _table_names(con)):
            raise unknown_table(self._place, request.identifier, names)
        there = _schema(con, request.identifier)
        wanted = [Column(name=c.name, type=canonical_type(c.type)) for c in request.columns]
        if missing := [c.name for c in wanted if there.type_of(c.name) is None]:
            raise unknown_columns(request.identifier, missing, there.names)
        conditions = [f"(\n{request.where}\n)"] if request.where else []
        if request.watermark is not None and request.since is not None:
            type_ = there.type_of(request.watermark) or ""
            conditions.append(_since(request.watermark, type_, request.since))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        columns = ", ".join(quote_identifier(column.name) for column in wanted)
        sql = f"SELECT {columns} FROM {quote_identifier(request.identifier)}{where}"
        fields = [
            (f"t{place}", pa.binary() if column.type == "BLOB" else pa.string())
            for place, column in enumerate(wanted, start=1)
        ]
        schema = pa.schema(fields)
        values = [_value(f"t{place}", column) for place, column in enumerate(wanted, start=1)]
        rows = self._batches(con, sql, schema, wanted)
        return EncodedRows(batches=rows, schema=schema, select=f"SELECT {', '.join(values)} FROM {{rows}}")

    def _batches(
        self, con: sqlite3.Connection, sql: str, schema: pa.Schema, wanted: Sequence[Column]
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        write = [_writer(column) for column in wanted]
        try:
            cursor = con.execute(sql)
            while rows := cursor.fetchmany(BATCH_ROWS):
                columns = zip(*rows, strict=True)
                arrays = [[w(v) for v in column] for w, column in zip(write, columns, strict=True)]
                yield pa.record_batch(
                    [pa.array(a, type=f.type) for a, f in zip(arrays, schema, strict=True)], schema=schema
                )
        except (sqlite3.Error, UnicodeError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> OsirisError:
        if self._interrupted:
            return _cancelled()
        return StepError(
            Diagnostic(rule="source-failed", message=f"{self._place} can't be read", why=str(error))
        )

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if self._interrupted:
            raise _cancelled()
        try:
            # DuckDB pulls rows from a thread of its own, one at a time
            place = f"{self._path.as_uri()}?mode=ro"
            con = sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        con.set_progress_handler(lambda: self._interrupted, STEPS)
        try:
            con.execute("PRAGMA query_only = on")
            con.execute("SELECT count(*) FROM sqlite_master").fetchall()
            yield con
        except sqlite3.DatabaseError as error:
            raise self._unreadable(error) from error
        finally:
            con.close()

    def _unreadable(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            Diagnostic(
                rule="unreadable-database",
                message=f"{self._place} can't be opened as an SQLite file",
                why=str(error),
                fix="`path` is relative to the root of the project",
            )
        )


class _Snapshot:
    position: str | None = None

    def __init__(self, source: SqliteSource, con: sqlite3.Connection) -> None:
        self._source = source
        self._con = con

    def read(self, request: TableRead) -> EncodedRows:
        return self._source.stream(self._con, request)


def duckdb_type(declared: str) -> str:
    """Return the DuckDB type for a declared type: by its name, else by SQLite's rules of affinity."""
    name = declared.upper().strip()
    if found := DECIMAL.fullmatch(name):
        digits, scale = int(found[1]), int(found[2] or 0)
        return f"DECIMAL({digits},{scale})" if scale <= digits <= 38 and digits else "VARCHAR"
    if name in NAMED:
        return NAMED[name]
    if "INT" in name:
        return "BIGINT"
    if any(word in name for word in ("REAL", "FLOA", "DOUB")):
        return "DOUBLE"
    return "BLOB" if name == "BLOB" else "VARCHAR"


def _table_names(con: sqlite3.Connection) -> list[str]:
    rows = con.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%'"
        " ESCAPE '\\' ORDER BY name"
    )
    return [name for (name,) in rows]


def _schema(con: sqlite3.Connection, table: str) -> TableSchema:
    rows = con.execute(
        'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1', [table]
    )
    found = rows.fetchall()
    columns = tuple(
        Column(name=name, type=duckdb_type(type_), nullable=not (required or place))
        for name, type_, required, place in found
    )
    key = sorted((place, name) for name, _, _, place in found if place)
    return TableSchema(columns=columns, key=tuple(name for _, name in key))


def _since(watermark: str, type_: str, since: str) -> str:
    """A condition that no row at or after `since` fails; of an instant the day alone, since SQLite keeps
    text, and one instant has many."""
    name = quote_identifier(watermark)
    if type_ in {"BIGINT", "DOUBLE"} and NUMBER.fullmatch(since):
        return f"{name} >= {since}"
    from_on = since[:10] if type_ in {"DATE", "TIMESTAMP"} else since
    return f"{name} >= {text_literal(from_on)} COLLATE BINARY"


def _writer(column: Column) -> Callable[[Any], Any]:
    return _as_bytes if column.type == "BLOB" else _as_text


def _as_bytes(value: Any) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else _as_text(value).encode()


def _as_text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    return repr(value)  # of a float the shortest text that is read back as it


def _value(text: str, column: Column) -> str:
    return text if column.type == "BLOB" else from_text(text, column.type, f"column {column.name}")


def _cancelled() -> CancelledError:
    return CancelledError(Diagnostic(rule="interrupted", message="reading was interrupted"))


PLUGIN = SqliteSource
