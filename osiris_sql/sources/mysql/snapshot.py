"""One instant of a MySQL or MariaDB database, and reading tables as of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

import pyarrow as pa
import pymysql

from osiris_sql.protocols import EncodedRows, TableRead
from osiris_sql.sources._exact import canonical_type
from osiris_sql.sources.mysql.catalog import ServerTable, find_table
from osiris_sql.sources.mysql.connect import Connection, is_mariadb, query
from osiris_sql.sources.mysql.encode import (
    DATES,
    ServerColumn,
    decode_select,
    is_binary,
    quote_name,
    select_list,
)
from osiris_sql.sources.mysql.rows import Arriving, arriving_schema, row_batches
from osiris_sql.sources.mysql.watermark import since_condition
from osiris_sql.sources.mysql.wire import RowStream
from osiris_sql.types.diagnostic import Diagnostic, OsirisError, StepError
from osiris_sql.types.relation import Column


class MysqlSnapshot:
    """Reads tables over one connection, inside its read-only transaction if it has one.

    `explain` turns a driver's error into ours, `kill_query` ends what the server is sending.
    """

    def __init__(
        self,
        connection: Connection,
        database: str,
        *,
        explain: Callable[[Exception, str], OsirisError],
        kill_query: Callable[[Connection], None],
    ) -> None:
        self.position: str | None = None
        self._connection = connection
        self._database = database
        self._explain = explain
        self._kill_query = kill_query
        self._reading: Iterator[pa.RecordBatch] | None = None

    def begin(self) -> None:
        """Fix the instant, and the position in the server's log where that can be read."""
        before = _executed_gtids(self._connection)
        query(self._connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        if is_mariadb(self._connection):
            self.position = _mariadb_position(self._connection)
        elif before and before == _executed_gtids(self._connection):
            # MySQL does not tell a snapshot's position; nothing was committed around it, so this is it.
            self.position = before

    def read(self, request: TableRead) -> EncodedRows:
        """Return the rows asked for, streaming; a read that was not finished before is given up."""
        self.close()
        what = f"table {request.identifier}"
        try:
            table = find_table(self._connection, self._database, request.identifier)
        except pymysql.MySQLError as error:
            raise self._explain(error, what) from error
        wanted = tuple(
            Column(name=c.name, type=canonical_type(c.type), nullable=c.nullable) for c in request.columns
        )
        columns = _matched(table, [column.name for column in wanted])
        select = decode_select(columns, wanted)
        arriving = [
            Arriving(
                name=server.name,
                binary=is_binary(server),
                is_date=server.kind in DATES and column.type != "VARCHAR",
            )
            for server, column in zip(columns, wanted, strict=True)
        ]
        sql = f"SELECT {select_list(columns)} FROM {self._from(table, request)}"
        self._reading = self._stream(sql, what, table.name, arriving)
        return EncodedRows(batches=self._reading, schema=arriving_schema(arriving), select=select)

    def close(self) -> None:
        """Give up the read that is under way, if any, so that the connection is free."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()  # type: ignore[attr-defined]  # a generator

    def _from(self, table: ServerTable, request: TableRead) -> str:
        source = f"{quote_name(self._database)}.{quote_name(table.name)}"
        conditions = [f"(\n{request.where}\n)"] if request.where else []
        if request.watermark is not None and request.since is not None:
            [column] = _matched(table, [request.watermark])
            conditions.append(since_condition(self._connection, column, request.since))
        return f"{source} WHERE {' AND '.join(conditions)}" if conditions else source

    def _stream(
        self, sql: str, what: str, table: str, columns: Sequence[Arriving]
    ) -> Iterator[pa.RecordBatch]:
        stream: RowStream | None = None
        try:
            stream = RowStream(self._connection, sql)
            yield from row_batches(stream, table, columns)
        except pymysql.MySQLError as error:
            raise self._explain(error, what) from error
        finally:
            if stream is not None and not stream.ended:
                self._give_up(stream)

    def _give_up(self, stream: RowStream) -> None:
        """Free the connection: an unfinished result must be read to its end, so it is killed first."""
        self._kill_query(self._connection)
        with suppress(pymysql.MySQLError):  # the server's word that the query was killed
            for _ in stream.pieces():
                pass


def _matched(table: ServerTable, names: list[str]) -> list[ServerColumn]:
    """Return the server's columns of these names; raises StepError that lists all that are missing."""
    by_name = {column.name.lower(): column for column in table.columns}
    missing = [name for name in names if name.lower() not in by_name]
    if missing:
        raise StepError(*(_unknown_column(table, name) for name in missing))
    return [by_name[name.lower()] for name in names]


def _unknown_column(table: ServerTable, name: str) -> Diagnostic:
    names = [column.name for column in table.columns]
    near = get_close_matches(name, names, n=1)
    return Diagnostic(
        rule="unknown-column",
        message=f'table {table.name} has no column "{name}" that the user may see',
        why=f"it shows: {', '.join(names)}",
        fix=(f'did you mean "{near[0]}"? ' if near else "")
        + "if the table changed, run: osiris-sql discover",
    )


def _mariadb_position(connection: Connection) -> str | None:
    status: dict[str, Any] = dict(query(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'"))
    file, offset = status.get("Binlog_snapshot_file"), status.get("Binlog_snapshot_position")
    if not file:
        return None
    with suppress(pymysql.MySQLError):  # needs a privilege on some servers; file and offset say the same
        [(gtid,)] = query(connection, "SELECT BINLOG_GTID_POS(%s, %s)", (file, int(offset or 0)))
        if gtid:
            return f"{file}:{offset} (GTID {gtid})"
    return f"{file}:{offset}"


def _executed_gtids(connection: Connection) -> str | None:
    if is_mariadb(connection):
        return None
    [(gtids,)] = query(connection, "SELECT @@global.gtid_executed")
    return str(gtids).replace("\n", "") or None
