"""TPC-H's 22 queries as models, each a table, over its 8 tables read from Parquet files.

Everybody first brings the files into tables of its own warehouse, then runs the queries. Rows and texts come
from DuckDB's own extension, whose wheel exists for DuckDB 1.5.5 alone: so it is installed beside the peers.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import sqlglot
from sqlglot import exp

from benchmarks.build import all_built, starting_afresh
from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import Benchmark, Contender, Series
from benchmarks.projects.tools import (
    Models,
    forget,
    peers_of,
    run_ours,
    run_script,
    write_osiris,
    write_script,
)

GENERATE = """import duckdb, duckdb_extension_tpch, json, pathlib, sys
scale, folder = float(sys.argv[1]), pathlib.Path(sys.argv[2])
extensions = pathlib.Path(duckdb_extension_tpch.__file__).parent / "extensions"
connection = duckdb.connect(str(folder / "made.duckdb"))
connection.execute(f"LOAD '{extensions / ('v' + duckdb.__version__) / 'tpch.duckdb_extension'}'")
connection.execute(f"CALL dbgen(sf = {scale})")
tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
for table in tables:
    connection.execute(f"COPY {table} TO '{folder / table}.parquet'")
queries = dict(connection.execute("SELECT query_nr, query FROM tpch_queries()").fetchall())
(folder / "queries.json").write_text(json.dumps([sorted(tables), queries]))
"""
SOURCES = """
version: 1
connections:
  tpch: {{ type: files, path: "{folder}" }}
sources:
  - name: tpch
    tables: [{tables}]
"""


def prepare(place: Place, hundredths: int) -> list[Contender]:
    generator = place.peer("tpch")
    if generator is None:
        return []
    rows = place.subfolder("rows")
    scale = str(hundredths / 100)
    run_command([generator.python, "-c", GENERATE, scale, str(rows)], rows, plain_environ())
    tables, texts = json.loads((rows / "queries.json").read_text())
    queries = {f"q{int(number):02}": with_references(text, tables) for number, text in texts.items()}
    copied = {table: f"select * from read_parquet('{rows / table}.parquet')" for table in tables}
    ours = write_ours(place, rows, tables, queries)
    everything = {**copied, **queries}
    return [
        run_ours(
            ours,
            before=lambda: forget(ours, ".osiris"),
            after=partial(all_built, ours, len(everything)),
        ),
        run_script(write_script(place.subfolder("script"), everything)),
        *map(starting_afresh, peers_of(place, everything)),
    ]


def with_references(query: str, tables: list[str]) -> str:
    """Return a query that names its tables as `ref`; no other letter of it changes."""
    text = query.strip().rstrip(";")
    found = (
        table.this.meta
        for table in sqlglot.parse_one(text, read="duckdb").find_all(exp.Table)
        if table.name in tables
    )
    for place in sorted(found, key=lambda meta: -meta["start"]):
        start, end = place["start"], place["end"] + 1
        text = f"{text[:start]}{{{{ ref('{text[start:end]}') }}}}{text[end:]}"
    return text + "\n"


def write_ours(place: Place, rows: Path, tables: list[str], queries: Models) -> Path:
    """Write our project, in which the files are a source, and let it learn their types."""
    texts = {name: text.replace("{{ ref('", "{{ source('tpch', '") for name, text in queries.items()}
    root = write_osiris(place.subfolder("osiris"), texts)
    named = ", ".join(f"{{ name: {table} }}" for table in tables)
    (root / "sources.yml").write_text(SOURCES.format(folder=rows, tables=named))
    run_command(osiris("discover"), root, environ())
    return root


BENCHMARK = Benchmark(
    measures="TPC-H's queries as models, a first build of all of them as tables",
    data="TPC-H's 8 tables as Parquet files, by DuckDB's generator; at scale 1 lineitem has 6,001,215 rows",
    limit="the same statements in one Python script of DuckDB, a transaction each",
    peers=("tpch", "dbt", "sqlmesh"),
    notes="`inside` leaves out start-up, and parsing or compiling: the tool's own account of its run.",
    series=[
        Series(
            name="queries",
            title="22 queries",
            unit="hundredths of scale 1",
            sizes=(1, 10, 100),
            quick=1,
            prepare=prepare,
            rounds=3,
        )
    ],
)
