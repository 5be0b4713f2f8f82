"""A table of MariaDB into a DuckDB file: ours, the old way, and what else people use.

The limit is the server's own client that throws the rows away. Not every peer is exact: connectorx makes any
DECIMAL (38,10), the DuckDB extension a boolean of TINYINT(1). dlt uses its backend connectorx, which its
documentation names as the fastest; connectorx streams Arrow batches. All but the limit write a DuckDB file.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.program.place import Place, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import Benchmark, Contender, Count, Figures, Goal, Series
from benchmarks.projects.shop import (
    ALL_ORDERS,
    DATABASE,
    PASSWORD,
    USER,
    Wire,
    address,
    fill_shop,
    rows_arrived,
    write_source,
)
from benchmarks.projects.tools import forget

LIMIT = "mariadb --quick > /dev/null"
CHECK = """
found = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
assert found == int(sys.argv[2]), found
"""
PANDAS = """import sys, duckdb, pandas, pymysql
address = dict(pair.split("=") for pair in sys.argv[1].split())
source = pymysql.connect(**{**address, "port": int(address["port"])}, charset="utf8mb4")
with source.cursor() as cursor:
    cursor.execute("SELECT * FROM orders")
    frame = pandas.DataFrame(cursor.fetchall(), columns=[one[0] for one in cursor.description])
connection = duckdb.connect("out.duckdb")
connection.execute("CREATE TABLE orders AS FROM frame")
"""
CONNECTORX = """import sys, connectorx, duckdb
query = "SELECT * FROM orders"
reader = connectorx.read_sql(sys.argv[1], query, return_type="arrow_stream", batch_size=50_000)
connection = duckdb.connect("out.duckdb")
connection.execute("CREATE TABLE orders AS FROM reader")
"""
EXTENSION = """import sys, duckdb
from duckdb_extensions import import_extension
import_extension("mysql_scanner")
connection = duckdb.connect("out.duckdb")
connection.execute("LOAD mysql_scanner")
connection.execute(f"ATTACH '{sys.argv[1]}' AS shop (TYPE mysql)")
connection.execute("CREATE TABLE orders AS FROM shop.orders")
"""
DLT = """import sys, dlt, duckdb
from dlt.sources.sql_database import sql_table
table = sql_table(sys.argv[1], table="orders", backend="connectorx", reflection_level="full",
                  backend_kwargs={"conn": sys.argv[1].replace("+pymysql", ""), "return_type": "arrow_stream"})
pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb("out.duckdb"), dataset_name="shop",
                        pipelines_dir="state")
pipeline.run(table, write_disposition="replace", loader_file_format="parquet")
connection = duckdb.connect("out.duckdb")
connection.execute("USE shop")
"""


def prepare(place: Place, rows: int) -> list[Contender]:
    server = fill_shop(place, rows)
    wire = Wire(server)
    found = []
    for snapshot in ("consistent", "none"):
        root = place.subfolder(f"osiris-{snapshot}")
        around = write_source(root, server, snapshot=snapshot)
        run_command(osiris("discover"), root, around)
        found.append(
            Contender(
                name=f"osiris-sql, snapshot: {snapshot}",
                role="ours",
                command=osiris("build"),
                folder=root,
                environ=around,
                before=lambda root=root: begin(wire, root, ".osiris"),  # type: ignore[misc]
                after=lambda root=root: {**rows_arrived(root, rows), **sent(wire)},  # type: ignore[misc]
            )
        )
    client = f"mariadb --no-defaults -h {server.host} -P {server.port} -u {USER} --quick --batch"
    limit = Contender(
        name=LIMIT,
        role="limit",
        command=["sh", "-c", f"{client} -e 'select * from orders' {DATABASE} > /dev/null"],
        folder=place.folder,
        environ=plain_environ(MYSQL_PWD=PASSWORD),
        before=wire.begin,
        after=lambda: sent(wire),
    )
    words = f"host={server.host} port={server.port} user={USER} password={PASSWORD} database={DATABASE}"
    scripts = {
        "pymysql and pandas": ("pandas", PANDAS, words),
        "connectorx": ("connectorx", CONNECTORX, address(server)),
        "dlt": ("dlt", DLT, address(server, "mysql+pymysql")),
        "DuckDB's mysql extension": ("duckdb-mysql", EXTENSION, words.replace("password", "passwd")),
    }
    for name, (peer, script, where) in scripts.items():
        if installed := place.peer(peer):
            found.append(scripted(place, name, installed.python, script, where, rows, wire))
    return [found[0], limit, *found[1:]]


def scripted(
    place: Place, name: str, python: str, script: str, where: str, rows: int, wire: Wire
) -> Contender:
    root = place.subfolder(name.replace(" ", "-").replace("'", ""))
    (root / "script.py").write_text(script + CHECK)
    return Contender(
        name=name,
        role="peer",
        command=[python, "script.py", where, str(rows)],
        folder=root,
        environ=plain_environ(RUNTIME__DLTHUB_TELEMETRY="false"),
        before=lambda: begin(wire, root, "out.duckdb", "state"),
        after=lambda: sent(wire),
    )


def begin(wire: Wire, root: Path, *names: str) -> None:
    forget(root, *names)
    wire.begin()


def sent(wire: Wire) -> Figures:
    return {"server_sent_mb": wire.since()["Bytes_sent"] / 1e6}


def counts(place: Place) -> list[Count]:
    """Rows are read once and come once over the wire, and of the columns only those that a model uses."""
    rows = 10_000
    server = fill_shop(place, rows)
    wire = Wire(server)
    client = ["mariadb", "--no-defaults", "-h", server.host, "-P", str(server.port), "-u", USER, "--quick"]
    words = ["--batch", "-e", "select * from orders", DATABASE]
    run_command([*client, *words], place.folder, plain_environ(MYSQL_PWD=PASSWORD))
    plain = wire.since()["Bytes_sent"]
    asked = {}
    for columns in ("*", "order_id"):
        root = place.subfolder("all" if columns == "*" else "one")
        models = {name: sql.replace("*", columns) for name, sql in ALL_ORDERS.items()}
        around = write_source(root, server, models=models)
        run_command(osiris("discover"), root, around)
        wire.begin()
        run_command(osiris("build"), root, around)
        asked[columns] = wire.since()
    read = asked["*"]["Handler_read_rnd_next"] + asked["*"]["Handler_read_next"]
    sent_percent = {columns: round(100 * one["Bytes_sent"] / plain) for columns, one in asked.items()}
    return [
        Count(name="rows the server read to give 10,000", found=read, at_least=rows, at_most=rows + 500),
        Count(name="SELECT statements of that extract", found=asked["*"]["Com_select"], at_most=10),
        Count(name="bytes sent, in percent of a plain SELECT *", found=sent_percent["*"], at_most=120),
        Count(name="the same if a model uses one column of ten", found=sent_percent["order_id"], at_most=15),
    ]


def at_a_million(says: str, at_least: float, other: str, ours: str = "consistent", reason: str = "") -> Goal:
    return Goal(
        says=f"at 1,000,000 rows, {says}",
        found=lambda cost: cost(other) / cost(f"osiris-sql, snapshot: {ours}"),
        at_least=at_least,
        size=1_000_000,
        reason=reason,
    )


TEXT = (
    "the limit throws the rows away as text; ours makes exact values of them and writes them down, and has"
    " start-up, compiling and the plan's questions before."
)
FLOOR = (
    "start-up, compiling, planning and imports take 0.6 seconds of CPU, one after the other, before a row is"
    " asked for. A million rows then take 0.3 on the server, 0.3 to take them apart, and 0.6 in DuckDB to"
    " compress and to identify them: over two cores no less than 0.6 seconds. No other route is nearer: two"
    " connections divide the server's part alone, connectorx takes 0.6 for what ours does in 0.3, exactly."
)
START = (
    "start-up, compiling and the plan's questions are in ours (`inside` leaves the first two out); the others"
    " begin at once, and check no type."
)
GOALS = [
    at_a_million("in one snapshot, 0.42 × the rows a second of the limit", 0.42, LIMIT, reason=TEXT),
    at_a_million("in one snapshot, 5 × those of the old way", 5, "pymysql and pandas", reason=START),
    at_a_million("under `snapshot: none`, 0.7 × those of the limit", 0.7, LIMIT, "none", FLOOR),
    Goal(
        says="at 1,000,000 rows, under `snapshot: none`, the run alone 0.7 × those of the limit",
        found=lambda cost: cost(LIMIT) / cost("osiris-sql, snapshot: none", "inside_s"),
        size=1_000_000,
        at_least=0.7,
    ),
    at_a_million("ahead of dlt", 1, "dlt", reason=START),
    at_a_million("ahead of DuckDB's extension", 1, "DuckDB's mysql extension", reason=START),
    Goal(
        says="memory below 350 MB",
        found=lambda cost: cost("osiris-sql, snapshot: consistent", "peak_mb"),
        at_most=350,
        unit="MB",
    ),
]
BENCHMARK = Benchmark(
    measures="a table of MariaDB into a DuckDB file, with exact types",
    data="`orders`: ten mixed columns (enum, decimal, times, texts, double, …), in the server's memory",
    limit="`mariadb --quick --batch -e 'select * from orders' > /dev/null`: the rows as text, thrown away",
    peers=("pandas", "connectorx", "dlt", "duckdb-mysql"),
    counts=counts,
    series=[
        Series(
            name="rows",
            title="One table",
            unit="rows",
            sizes=(10_000, 100_000, 1_000_000, 10_000_000),
            quick=1000,
            prepare=prepare,
            rounds=3,
            patience=15,
            goals=GOALS,
        )
    ],
)
