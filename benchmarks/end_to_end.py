"""The whole job, MySQL → models → Supabase: ours, a pandas script with a REST loop, and dlt with dbt.

The job: every order with two computed columns, and a summary a customer, arrive in two tables. The pandas
script is how it was done before there was a tool: pymysql, DataFrames, the Supabase client, batches of 1,000.
dlt reads with connectorx, dbt builds in DuckDB, and dlt loads PostgreSQL by COPY of CSV files.
"""

from __future__ import annotations

from servers.mariadb import MariaDb
from servers.postgres import PostgresServer, running_postgres
from servers.postgrest.server import SECRET_KEY, running_postgrest

from benchmarks.program.place import Place, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Figures, Series
from benchmarks.projects.shop import DATABASE, PASSWORD, USER, address, fill_shop, write_source
from benchmarks.projects.tools import DBT_PROFILE, DBT_PROJECT, forget, last_run

CUSTOMERS = 9973
MODELS = {
    "order_facts": """{{ config(materialized='table') }}
select order_id, customer, state, amount, placed_at, shipped,
  round(amount * 0.19, 2)::decimal(12, 2) as tax, coalesce(note, '') as note
from {{ source('shop', 'orders') }}
""",
    "customer_totals": """{{ config(materialized='table') }}
select customer, count(*) as orders, sum(amount)::decimal(18, 2) as revenue, max(placed_at) as last_order
from {{ ref('order_facts') }} group by customer
""",
}
TARGETS = """
version: 1
connections:
  app: { type: supabase, dsn: "${BENCH_DSN}" }
targets:
  - name: app
    tables:
      - { name: order_facts, model: order_facts, mode: upsert, key: [order_id], create: true }
      - { name: customer_totals, model: customer_totals, mode: upsert, key: [customer], create: true }
"""
TABLES = """
CREATE TABLE order_facts (order_id bigint PRIMARY KEY, customer int, state text, amount numeric(12, 2),
  placed_at timestamp, shipped date, tax numeric(12, 2), note text);
CREATE TABLE customer_totals (customer int PRIMARY KEY, orders bigint, revenue numeric(18, 2),
  last_order timestamp);
GRANT ALL ON order_facts, customer_totals TO service_role;
"""
PANDAS = """import sys, pandas, pymysql
from supabase import create_client
host, port, url, key = sys.argv[1:]
source = pymysql.connect(host=host, port=int(port), user="USER", password="PASSWORD", database="DATABASE",
                         charset="utf8mb4")
with source.cursor() as cursor:
    cursor.execute("SELECT order_id, customer, state, amount, placed_at, shipped, note FROM orders")
    frame = pandas.DataFrame(cursor.fetchall(), columns=[one[0] for one in cursor.description])
frame["amount"] = frame["amount"].astype(float)
frame["tax"] = (frame["amount"] * 0.19).round(2)
frame["note"] = frame["note"].fillna("")
totals = frame.groupby("customer", as_index=False).agg(
    orders=("order_id", "count"), revenue=("amount", "sum"), last_order=("placed_at", "max"))
totals["revenue"] = totals["revenue"].round(2)
client = create_client(url, key)
for name, table in (("order_facts", frame), ("customer_totals", totals)):
    for column in ("placed_at", "last_order", "shipped"):
        if column in table:
            table[column] = table[column].astype(str).where(table[column].notna(), None)
    table = table.astype(object).where(table.notna(), None)
    for start in range(0, len(table), 1000):
        rows = table.iloc[start : start + 1000].to_dict("records")
        client.table(name).upsert(rows, returning="minimal").execute()
"""
DLT_IN = """import sys, dlt
from dlt.sources.sql_database import sql_table
table = sql_table(sys.argv[1], table="orders", backend="connectorx", reflection_level="full",
                  backend_kwargs={"conn": sys.argv[1].replace("+pymysql", ""), "return_type": "arrow_stream"})
pipeline = dlt.pipeline("read", destination=dlt.destinations.duckdb("dbt.duckdb"), dataset_name="shop",
                        pipelines_dir="state")
pipeline.run(table, write_disposition="replace", loader_file_format="parquet")
"""
DLT_OUT = """import sys, dlt, duckdb
connection = duckdb.connect("dbt.duckdb", read_only=True)
def rows_of(name):
    yield from connection.cursor().execute(f"FROM main.{name}").to_arrow_reader(100_000)
tables = [dlt.resource(rows_of(name), name=name, write_disposition="replace")
          for name in ("order_facts", "customer_totals")]
pipeline = dlt.pipeline("write", destination=dlt.destinations.postgres(sys.argv[1]), dataset_name="public",
                        pipelines_dir="state")
pipeline.run(tables, loader_file_format="csv")
"""
DBT_SOURCES = "version: 2\nsources: [{name: shop, tables: [{name: orders}]}]\n"


def prepare(place: Place, rows: int) -> list[Contender]:
    server, postgres = fill_shop(place, rows), place.servers.get(running_postgres)
    makers = (ours, pandas_and_rest, dlt_and_dbt)
    return [made for make in makers if (made := make(place, server, postgres, rows))]


def ours(place: Place, server: MariaDb, postgres: PostgresServer, rows: int) -> Contender:
    root = place.subfolder("osiris")
    around = write_source(root, server, models=MODELS)
    (root / "targets.yml").write_text(TARGETS)
    around["BENCH_DSN"] = postgres.create_database("by_osiris")
    run_command(osiris("discover"), root, around)

    def begin() -> None:
        postgres.create_database("by_osiris")
        forget(root, ".osiris")

    def look() -> Figures:
        arrived(postgres, "by_osiris", rows)
        return {"inside_s": last_run(root)["seconds"]}

    return Contender(
        name="osiris-sql build",
        role="ours",
        command=osiris("build"),
        folder=root,
        environ=around,
        before=begin,
        after=look,
    )


def pandas_and_rest(place: Place, server: MariaDb, postgres: PostgresServer, rows: int) -> Contender | None:
    if not (peer := place.peer("pandas")):
        return None
    root, name = place.subfolder("pandas"), f"by_rest_{rows}"
    postgres.create_database(name)
    postgres.run_sql(TABLES, name)
    rest = place.servers.stack.enter_context(running_postgrest(postgres.dsn(name, user="authenticator")))
    words = {"USER": USER, "PASSWORD": PASSWORD, "DATABASE": DATABASE}
    script = PANDAS
    for word, value in words.items():
        script = script.replace(word, value)
    (root / "script.py").write_text(script)
    return Contender(
        name="pandas and a REST loop",
        role="peer",
        command=[peer.python, "script.py", server.host, str(server.port), rest.url, SECRET_KEY],
        folder=root,
        environ=plain_environ(),
        before=lambda: emptied(postgres, name),
        after=lambda: arrived(postgres, name, rows),
    )


def dlt_and_dbt(place: Place, server: MariaDb, postgres: PostgresServer, rows: int) -> Contender | None:
    loader, builder = place.peer("dlt"), place.peer("dbt")
    if not (loader and builder):
        return None
    root = place.subfolder("dlt")
    (root / "models").mkdir()
    for name, sql in MODELS.items():
        (root / f"models/{name}.sql").write_text(sql)
    files = {"models/sources.yml": DBT_SOURCES, "dbt_project.yml": DBT_PROJECT, "profiles.yml": DBT_PROFILE}
    for name, text in {**files, "read.py": DLT_IN, "write.py": DLT_OUT}.items():
        (root / name).write_text(text)
    steps = '"$1" read.py "$3" && "$2" --quiet run && "$1" write.py "$4"'
    command = [
        "sh",
        "-c",
        steps,
        "job",
        loader.python,
        builder.program("dbt"),
        address(server, "mysql+pymysql"),
    ]

    def begin() -> None:
        postgres.create_database("by_dlt")
        forget(root, "dbt.duckdb", "state")

    return Contender(
        name="dlt and dbt",
        role="peer",
        command=[*command, postgres.dsn("by_dlt")],
        folder=root,
        environ=plain_environ(RUNTIME__DLTHUB_TELEMETRY="false", DBT_PROFILES_DIR=str(root)),
        before=begin,
        after=lambda: arrived(postgres, "by_dlt", rows),
    )


def emptied(postgres: PostgresServer, database: str) -> None:
    postgres.run_sql("TRUNCATE order_facts, customer_totals", database)


def arrived(postgres: PostgresServer, database: str, rows: int) -> Figures:
    """Raise if either table has another number of rows, or the totals are not those of the orders."""
    asked = (
        "SELECT (SELECT count(*) FROM order_facts), (SELECT count(*) FROM customer_totals),"
        " (SELECT sum(amount) FROM order_facts) - (SELECT sum(revenue) FROM customer_totals)"
    )
    orders, customers, apart = postgres.run_sql(asked, database).strip().split("|")
    if (int(orders), int(customers)) != (rows, min(rows, CUSTOMERS)) or abs(float(apart)) > 1:
        raise BenchmarkError(f"{orders} orders and {customers} customers arrived, {apart} apart")
    return {}


BENCHMARK = Benchmark(
    measures="the whole job: MySQL → models → two tables of a Supabase-like PostgreSQL",
    data="`orders`: ten mixed columns, of which eight arrive row by row and some as totals of customers",
    limit="none: the parts have theirs, in extract, build and publish",
    peers=("pandas", "dlt", "dbt"),
    notes="Ours verifies each publication and writes it in one transaction; the others do neither. REST"
    " requests are answered by the tests' PostgREST server, which is written in Python.",
    series=[
        Series(
            name="rows",
            title="MySQL to Supabase",
            unit="rows",
            sizes=(10_000, 100_000, 1_000_000, 10_000_000),
            quick=2000,
            prepare=prepare,
            rounds=3,
            patience=60,
        )
    ],
)
