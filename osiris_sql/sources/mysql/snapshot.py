"""One instant of a MySQL or MariaDB database, and reading tables as of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress

import pyarrow as pa
import pymysql

from osiris_sql.protocols import EncodedRows, TableRead
from osiris_sql.sources._absent import unknown_columns
from osiris_sql.sources._exact import canonical_type
from osiris_sql.sources.mysql.catalog import (
    ServerTable,
    engines_without_snapshot,
    find_table,
    warn_outside,
)
from osiris_sql.sources.mysql.connect import Connection
from osiris_sql.sources.mysql.encode import (
    INSTANT,
    ServerColumn,
    decode_select,
    duckdb_type,
    is_binary,
    quote_name,
    select_list,
)
from osiris_sql.sources.mysql.filters import filter_condition
from osiris_sql.sources.mysql.instant import Instant
from osiris_sql.sources.mysql.ranges import key_ranges
from osiris_sql.sources.mysql.rows import Arriving, arriving_schema, refuse_zero_dates, row_batches
from osiris_sql.sources.mysql.together import read_together
from osiris_sql.sources.mysql.watermark import since_condition
from osiris_sql.sources.mysql.wire import RowStream, result_fields
from osiris_sql.types.diagnostic import OsirisError
from osiris_sql.types.noun import Json
from osiris_sql.types.relation import Column

UNTOLD = "not asked of the server: it tells these values in another way"
OUTSIDE = "outside: the engine of the table has no transactions"


class MysqlSnapshot:
    """Reads tables over the connections of one instant, each inside its read-only transaction if it has one.

    `explain` turns a driver's error into ours, `kill_query` ends what the server is sending.
    """

    def __init__(
        self,
        instant: Instant,
        database: str,
        *,
        explain: Callable[[Exception, str], OsirisError],
        kill_query: Callable[[Connection], None],
    ) -> None:
        self.position = instant.position
        self._instant = instant
        self._connection = instant.connections[0]
        self._database = database
        self._explain = explain
        self._kill_query = kill_query
        self._reading: Iterator[pa.RecordBatch] | None = None

    def read(self, request: TableRead) -> EncodedRows:
        """Return the rows asked for, streaming; a read that was not finished before is given up."""
        self.close()
        try:
            return self._read(request)
        except pymysql.MySQLError as error:
            raise self._explain(error, f"table {request.identifier}") from error

    def _read(self, request: TableRead) -> EncodedRows:
        table = find_table(self._connection, self._database, request.identifier)
        wanted = tuple(
            Column(name=c.name, type=canonical_type(c.type), nullable=c.nullable) for c in request.columns
        )
        columns = _matched(table, [column.name for column in wanted])
        select = decode_select(columns, wanted)
        told = filter_condition(self._connection, table.columns, request.filters)
        queries = self._queries(table, select_list(columns, wanted), request, told)
        fields = result_fields(self._connection, queries[0])
        arriving = [
            Arriving(
                name=server.name,
                field=field,
                binary=is_binary(server),
                is_text=duckdb_type(server) == "VARCHAR",
                in_zone=column.type == INSTANT,
            )
            for server, column, field in zip(columns, wanted, fields, strict=True)
        ]
        outside = engines_without_snapshot(self._connection, self._database, [table.name])
        self._reading = self._stream(queries, table.name, arriving)
        return EncodedRows(
            batches=self._reading,
            schema=arriving_schema(arriving),
            select=select,
            observed={
                **self._observed(len(queries), outside=bool(outside)),
                **({"filter": UNTOLD} if request.filters and not told else {}),
            },
            warnings=warn_outside(outside) if self.position else (),
        )

    def close(self) -> None:
        """Give up the read that is under way, if any, so that the connection is free."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()  # type: ignore[attr-defined]  # a generator

    def _queries(self, table: ServerTable, asked: str, request: TableRead, told: str) -> list[str]:
        """The queries that together read the rows, each row once."""
        conditions = [f"(\n{request.where}\n)"] if request.where else []
        conditions += [told] if told else []
        if request.watermark is not None and request.since is not None:
            [column] = _matched(table, [request.watermark])
            conditions.append(since_condition(self._connection, column, request.since))
        readers = len(self._instant.connections)
        ranges = key_ranges(self._connection, self._database, table, readers) if readers > 1 else []
        source = f"{quote_name(self._database)}.{quote_name(table.name)}"
        return [
            f"SELECT {asked} FROM {source}" + (f" WHERE {' AND '.join(some)}" if some else "")
            for some in ([*conditions, *part] for part in ([[one] for one in ranges] or [[]]))
        ]

    def _observed(self, queries: int, *, outside: bool) -> dict[str, Json]:
        """What the run card says of a read."""
        instant = self._instant
        found: dict[str, Json] = {"connections": min(queries, len(instant.connections))}
        if instant.position is not None:
            found["snapshot"] = OUTSIDE if outside else instant.position
        if instant.alone:
            found["one_connection"] = instant.alone
        return found

    def _stream(
        self, queries: list[str], table: str, columns: Sequence[Arriving]
    ) -> Iterator[pa.RecordBatch]:
        left = iter(queries)
        readers = self._instant.connections[: len(queries)]
        zeros: list[Counter[str]] = [Counter() for _ in readers]
        streams = [
            self._one_after_another(connection, left, table, columns, own)
            for connection, own in zip(readers, zeros, strict=True)
        ]
        yield from read_together(streams) if len(streams) > 1 else streams[0]
        refuse_zero_dates(table, sum(zeros, Counter()))

    def _one_after_another(
        self,
        connection: Connection,
        queries: Iterator[str],
        table: str,
        columns: Sequence[Arriving],
        zeros: Counter[str],
    ) -> Generator[pa.RecordBatch, None, None]:
        stream: RowStream | None = None
        try:
            for sql in queries:
                stream = RowStream(connection, sql)
                yield from row_batches(stream, table, columns, zeros)
        except pymysql.MySQLError as error:
            raise self._explain(error, f"table {table}") from error
        finally:
            if stream is not None and not stream.ended:
                self._give_up(connection, stream)

    def _give_up(self, connection: Connection, stream: RowStream) -> None:
        """Free the connection: an unfinished result must be read to its end, so it is killed first."""
        self._kill_query(connection)
        with suppress(pymysql.MySQLError):  # the server's word that the query was killed
            for _ in stream.pieces():
                pass


def _matched(table: ServerTable, names: list[str]) -> list[ServerColumn]:
    """Return the server's columns of these names; raises StepError that lists all that are missing."""
    by_name = {column.name.lower(): column for column in table.columns}
    missing = [name for name in names if name.lower() not in by_name]
    if missing:
        there = [column.name for column in table.columns]
        raise unknown_columns(table.name, missing, there, rights="the user may see")
    return [by_name[name.lower()] for name in names]
