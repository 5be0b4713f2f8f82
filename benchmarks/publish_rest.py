"""A table of DuckDB into a Supabase table over REST: tier A, against the supabase client's own batches.

Every contender starts from the same DuckDB file and upserts the same rows of 12 mixed columns into an empty
table with a primary key, over HTTP to the tests' PostgREST on a real PostgreSQL. Tier A counts and reads
back; the client's batches are single transactions that nobody verifies. The REST server is Python too, so
the seconds are not those of a hosted project: the ratios are, as far as the server costs both sides alike.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.program.place import Place, environ, plain_environ
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

TABLE = """CREATE TABLE sales (id bigint PRIMARY KEY, code text, title text, price numeric(12,2),
  quantity integer,
  rate double precision, paid boolean, day date, at timestamptz, token uuid, tags jsonb, note text)"""
ROWS = """CREATE TABLE main.sales AS SELECT i AS id, 'C' || (i % 997) AS code, 'title of row ' || i AS title,
  (i % 100000 / 100)::DECIMAL(12,2) AS price, (i % 50)::INTEGER AS quantity, i / 7.0::DOUBLE AS rate,
  i % 3 = 0 AS paid, DATE '2020-01-01' + (i % 1000)::INTEGER AS day,
  TIMESTAMPTZ '2024-01-01 00:00:00+00' + INTERVAL 1 SECOND * i AS at, uuid() AS token,
  [i, i + 1] AS tags, CASE WHEN i % 5 = 0 THEN NULL ELSE 'a note, "quoted"' END AS note
FROM range({rows}) AS r(i)"""
OURS = """import sys, uuid
from pathlib import Path
from osiris_sql.engines.duckdb.engine import DuckDBEngine
from osiris_sql.protocols import Load
from osiris_sql.support.secrets import make_options
from osiris_sql.targets.supabase import PLUGIN
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import RelationRef
from osiris_sql.types.settings import PINNED_SETTINGS
url, key, warehouse = sys.argv[1:4]
options = {"url": url, "secret_key": key, "rest_max_rows": 10_000_000}
target = PLUGIN(make_options(PLUGIN.Options, options, {}), Path())
engine = DuckDBEngine(Path(warehouse), {**PINNED_SETTINGS, "memory_limit": "128MB"}, read_only=False)
relation = RelationRef("main", "sales")
with engine.transaction() as transaction:
    schema, _ = transaction.preview("SELECT * FROM main.sales", "2026-01-01T00:00:00+00:00", 1)
    publication = Publish(
        id="publish.app.sales", node="target:app.sales", why="bench", relation=relation, input="model:sales",
        connection="app", target="app", table="sales", mode="upsert", key=("id",), columns=schema.columns,
        fingerprint="f", location=Location(path="targets.yml", line=1, column=1))
    data = transaction.fingerprint(relation)
    spool = Path("spool.parquet")
    rows = transaction.spool(relation, target.spool(publication), spool)
load = Load(load_id=str(uuid.uuid4()), run_id="bench", data=data, path=spool, rows=rows)
done = target.publish(publication, load, lambda rows, words: None)
assert done.inserted == rows == done.total_after, done
engine.close()
"""
CLIENT = """import sys, duckdb, httpx, supabase
url, key, warehouse, size = sys.argv[1:5]
session = httpx.Client(timeout=120)
client = supabase.create_client(url, key, supabase.ClientOptions(httpx_client=session))
source = duckdb.connect(warehouse, read_only=True)
source.execute("SET TimeZone = 'UTC'")
found = source.execute("SELECT * REPLACE (price::VARCHAR AS price) FROM main.sales")
names = [column[0] for column in found.description]
while rows := found.fetchmany(int(size)):
    batch = [dict(zip(names, row)) for row in rows]
    client.table("sales").upsert(batch, on_conflict="id", returning="minimal").execute()
"""


@contextmanager
def running() -> Iterator[tuple[Any, str]]:
    """Start PostgreSQL and, in a process of its own, the REST server; yield the first and the address."""
    from servers.postgres import running_postgres
    from targets.supabase_table import install

    with running_postgres() as postgres:
        dsn = postgres.create_database("bench_rest")
        install(dsn)
        execute(dsn, f"{TABLE}; GRANT ALL ON sales TO service_role")
        ours, theirs = multiprocessing.Pipe()
        address = postgres.dsn("bench_rest", user="authenticator")
        server = multiprocessing.get_context("fork").Process(target=serve, args=(address, theirs))
        server.start()
        try:
            yield postgres, ours.recv()
        finally:
            ours.send(None)
            server.join()


def serve(dsn: str, line: Any) -> None:
    """Run the REST server until the other end of the line says something."""
    from servers.postgrest.server import running_postgrest

    with running_postgrest(dsn) as server:
        line.send(server.url)
        line.recv()


def execute(dsn: str, sql: str) -> list[tuple]:
    import psycopg2

    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def prepare(place: Place, rows: int) -> list[Contender]:
    import duckdb
    from servers.postgrest.server import SECRET_KEY

    postgres, url = place.servers.get(running)
    dsn = postgres.dsn("bench_rest")
    folder = place.subfolder(f"rest{rows}")
    warehouse = folder / "sales.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(ROWS.format(rows=rows))

    def before() -> None:
        execute(dsn, "TRUNCATE sales; TRUNCATE osiris.publications; TRUNCATE osiris.staged")

    def after() -> Figures:
        [(found,)] = execute(dsn, "SELECT count(*) FROM sales")
        if found != rows:
            raise BenchmarkError(f"{found} rows arrived, {rows} were sent")
        return {}

    def contender(name: str, role: str, script: str, surroundings: dict[str, str], *more: str) -> Contender:
        command = [sys.executable, "-c", script, url, SECRET_KEY, str(warehouse), *more]
        return Contender(
            name=name,
            role=role,
            command=command,
            folder=folder,
            environ=surroundings,
            before=before,
            after=after,
        )

    return [
        contender("osiris-sql, tier A", "ours", OURS, environ()),
        contender("supabase client, 1000 a batch", "peer", CLIENT, plain_environ(), "1000"),
        contender("supabase client, 100 a batch", "peer", CLIENT, plain_environ(), "100"),
    ]


def counts(place: Place) -> list[Count]:
    """Return the rows that tier A leaves in the table."""
    from benchmarks.program.process import run_command

    ours, *_ = prepare(place, 5000)
    assert ours.before is not None
    ours.before()
    run_command(ours.command, ours.folder, ours.environ)
    postgres, _ = place.servers.get(running)
    [(found,)] = execute(postgres.dsn("bench_rest"), "SELECT count(*) FROM sales")
    return [exactly("rows after tier A", found, 5000)]


SERIES = Series(
    name="empty",
    title="Upsert over REST into an empty table",
    unit="rows",
    sizes=(10_000, 100_000, 1_000_000),
    quick=10_000,
    prepare=prepare,
    rounds=3,
    goals=[
        Goal(
            says="tier A at least 3 × the rows a second of the client's batches of 1000, at 1,000,000 rows",
            found=lambda cost: cost("supabase client, 1000 a batch") / cost("osiris-sql, tier A"),
            at_least=3,
            size=1_000_000,
        )
    ],
)
BENCHMARK = Benchmark(
    measures="publishing 12 mixed columns over REST into an empty table",
    data="generated rows: numbers, text, dates, uuid, a list as jsonb",
    limit="none: the REST server is the tests' own",
    series=(SERIES,),
    counts=counts,
)
