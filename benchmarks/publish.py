"""A built model into a Supabase table over Postgres: 12 mixed columns, counted, checked and read back.

The limit is psql's `\\copy` of the same rows, prepared as CSV, into the same table with its primary key; it
checks nothing. Ours begins at the rows in the warehouse: it checks the key, writes the CSV, loads it in one
transaction, counts, and reads back on a new connection. `inside` is the publication alone, as the run card
tells it. The server's settings are those of the tests: fsync = off, shared_buffers = 32MB.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import (
    Benchmark,
    BenchmarkError,
    Contender,
    Count,
    Figures,
    Goal,
    Series,
    exactly,
)

# The rows of two variants differ in one of a hundred.
MODEL = """{{{{ config(materialized='table') }}}}
SELECT i AS id, (i % 9973)::INTEGER AS customer,
  (i / 7)::DECIMAL(12, 2) + CASE WHEN i % 100 = 3 THEN {variant} ELSE 0 END::DECIMAL(3, 0) AS amount,
  i * 0.1::DOUBLE AS score, 'order number ' || i AS note,
  CASE WHEN i % 5 = 0 THEN NULL ELSE 'city ' || (i % 1000) END AS city, i % 2 = 0 AS paid,
  DATE '2020-01-01' + (i % 2000)::INTEGER AS day, TIMESTAMP '2020-01-01' + INTERVAL 1 SECOND * i AS at,
  TIMESTAMPTZ '2020-01-01 00:00:00+00' + INTERVAL 1 SECOND * i AS seen, md5(i::VARCHAR)::UUID AS token,
  {{'k': i, 't': 'x' || (i % 10)}}::JSON AS extra
FROM range({rows}) AS t(i)
"""
TARGETS = """
version: 1
connections:
  app: {{ type: supabase, dsn: "${{BENCH_DSN}}" }}
targets:
  - name: app
    tables: [{{ name: sales, model: sales, mode: {mode}, key: [id], create: true }}]
"""
PUBLISH = osiris("build", "--select", "target:app.sales")
COPY = r"psql \copy of prepared CSV"
TABLES = ("empty", "new")
EXECUTE_VALUES = """import sys, duckdb, psycopg2
from psycopg2.extras import execute_values, register_uuid
register_uuid()
source = duckdb.connect(sys.argv[2], read_only=True)
source.execute("SET TimeZone = 'UTC'")
found = source.execute("SELECT * REPLACE (extra::VARCHAR AS extra) FROM sales")
target = psycopg2.connect(sys.argv[1])
with target, target.cursor() as cursor:
    while rows := found.fetchmany(10_000):
        execute_values(cursor, "INSERT INTO sales VALUES %s", rows, page_size=1000)
"""


@contextmanager
def running() -> Iterator[str]:
    """Start PostgreSQL; yield the connection string."""
    from servers.postgres import running_postgres

    with running_postgres() as postgres:
        yield postgres.create_database("bench")


def execute(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    import psycopg2

    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


class Job:
    """A project, its database, and the rows that are to be there."""

    def __init__(self, place: Place, rows: int, mode: str) -> None:
        self.dsn, self.rows, self.variant = place.servers.get(running), rows, 0
        self.folder = place.subfolder(f"{mode}{rows}")
        self.environ = environ(BENCH_DSN=self.dsn)
        (self.folder / "models").mkdir()
        (self.folder / "osiris-sql.toml").write_text('name = "bench"\nmemory_limit = "96MB"\n')
        (self.folder / "targets.yml").write_text(TARGETS.format(mode=mode))
        execute(self.dsn, "DROP TABLE IF EXISTS sales")
        self.build_model()

    def build_model(self) -> None:
        self.variant = 1 - self.variant
        text = MODEL.format(variant=self.variant, rows=self.rows)
        (self.folder / "models" / "sales.sql").write_text(text)
        run_command(osiris("build", "--select", "sales"), self.folder, self.environ)

    def publish(self) -> None:
        run_command(PUBLISH, self.folder, self.environ)

    def psql_copy(self, table: str) -> list[str]:
        """Write what is published now as CSV, and return the command that loads it into a table."""
        csv = self.folder / "rows.csv"
        copy = rf"\copy sales to '{csv}' (format csv, null '\N')"
        run_command(["psql", "-Xq", self.dsn, "-c", copy], self.folder, plain_environ())
        return ["psql", "-Xq", self.dsn, "-c", rf"\copy {table} from '{csv}' (format csv, null '\N')"]

    def step(self) -> dict[str, Any]:
        """Return what the last run says of the publication."""
        card = max(self.folder.glob(".osiris/runs/*/run_card.json"), key=lambda path: path.stat().st_mtime_ns)
        found = json.loads(card.read_text())
        facts: dict[str, Any] = found["facts"]["steps"]["publish.app.sales"]
        return {**facts, "seconds": found["observed"]["step_seconds"]["publish.app.sales"]}

    def check(self) -> Figures:
        [(found, third)] = execute(self.dsn, "SELECT count(*), max(amount) FILTER (WHERE id = 3) FROM sales")
        if (found, float(third)) != (self.rows, 0.43 + self.variant):
            raise BenchmarkError(
                f"{found} rows arrived, {self.rows} were sent; the amount of row 3 is {third}"
            )
        return {}

    def inside(self) -> Figures:
        self.check()
        return {"inside_s": self.step()["seconds"]}


def into_empty(place: Place, rows: int) -> list[Contender]:
    """All rows into a table that was just made, and into one that is there and empty."""
    job = Job(place, rows, "upsert")
    job.publish()
    load = job.psql_copy("sales")
    script = [sys.executable, "-c", EXECUTE_VALUES, job.dsn, str(job.folder / ".osiris" / "dev.duckdb")]
    empty = lambda: execute(job.dsn, "TRUNCATE sales") and None  # noqa: E731
    absent = lambda: execute(job.dsn, "DROP TABLE sales") and None  # noqa: E731
    return [
        _contender(job, "osiris-sql, empty table", "ours", PUBLISH, empty, job.inside),
        _contender(job, "osiris-sql, new table", "ours", PUBLISH, absent, job.inside),
        _contender(job, COPY, "limit", load, empty),
        _contender(job, "psycopg2 execute_values", "peer", script, empty),
    ]


def one_percent(place: Place, rows: int) -> list[Contender]:
    """A sync of which one row in a hundred has changed, and one of which nothing has."""
    job = Job(place, rows, "sync")
    job.publish()
    load = job.psql_copy("copied")
    execute(job.dsn, "DROP TABLE IF EXISTS copied; CREATE TABLE copied (LIKE sales INCLUDING ALL)")
    empty = lambda: execute(job.dsn, "TRUNCATE copied") and None  # noqa: E731
    return [
        _contender(job, "osiris-sql, 1 % changed", "ours", PUBLISH, job.build_model, job.inside),
        _contender(job, "osiris-sql, nothing changed", "ours", PUBLISH, None, job.inside),
        _contender(job, COPY, "limit", load, empty),
    ]


def _contender(
    job: Job,
    name: str,
    role: Any,
    command: list[str],
    before: Callable[[], None] | None,
    after: Callable[[], Figures] | None = None,
) -> Contender:
    surroundings = job.environ if role == "ours" else plain_environ()
    return Contender(
        name=name,
        role=role,
        command=command,
        folder=job.folder,
        environ=surroundings,
        before=before,
        after=after or (job.check if "copied" not in command[-1] else None),
    )


def counts(place: Place) -> list[Count]:
    """A sync with nothing changed sends no row, and reads the table at most once."""
    job = Job(place, 10_000, "sync")
    job.publish()
    read = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'sales'"
    [(before,)] = execute(job.dsn, read)
    job.publish()
    execute(job.dsn, "SELECT pg_stat_force_next_flush()")
    [(after,)] = execute(job.dsn, read)
    again = job.step()
    job.build_model()
    job.publish()
    return [
        exactly("rows sent when nothing changed", again["sent"], 0),
        Count(name="rows read of the table when nothing changed", found=after - before, at_most=10_002),
        exactly("rows updated when 1 % changed", job.step()["updated"], 100),
    ]


def close_to_copy(ours: str, share: float, reason: str = "") -> Goal:
    return Goal(
        says=rf"{ours}: the publication alone {share} × the rows a second of psql \copy, at 1,000,000 rows",
        found=lambda cost: cost(COPY) / cost(ours, "inside_s"),
        at_least=share,
        size=1_000_000,
        reason=reason,
    )


def little_memory(*ours: str) -> Goal:
    return Goal(
        says="memory below 250 MB",
        found=lambda cost: max(cost(name, "peak_mb") for name in ours),
        at_most=250,
        unit="MB",
    )


BENCHMARK = Benchmark(
    measures="seconds from rows in the warehouse to rows in PostgreSQL, checked and read back",
    data="made rows of 12 columns: bigint key, integer, decimal, double, 2 × text, boolean, date, timestamp,"
    " timestamp with time zone, uuid, jsonb",
    limit=r"psql \copy of the same rows, prepared as CSV",
    counts=counts,
    notes="Start-up and planning are in the seconds, not in `inside`. memory_limit is 96MB.",
    series=[
        Series(
            name="empty",
            title="Upsert into an empty or new table",
            unit="rows",
            sizes=(100_000, 1_000_000, 10_000_000),
            quick=10_000,
            prepare=into_empty,
            rounds=3,
            goals=[
                close_to_copy("osiris-sql, empty table", 0.65),
                close_to_copy("osiris-sql, new table", 0.65),
                little_memory("osiris-sql, empty table", "osiris-sql, new table"),
            ],
        ),
        Series(
            name="sync",
            title="Sync with 1 % of the rows changed",
            unit="rows",
            sizes=(10_000, 100_000, 1_000_000),
            quick=10_000,
            prepare=one_percent,
            rounds=3,
            goals=[close_to_copy("osiris-sql, 1 % changed", 0.5), little_memory("osiris-sql, 1 % changed")],
        ),
    ],
)
