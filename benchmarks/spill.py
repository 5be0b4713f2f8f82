"""A join that is many times larger than the memory it may use."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Figures, Goal, Series
from benchmarks.projects.tools import forget, last_run

SETTINGS = 'name = "spill"\nmemory_limit = "256MB"\nthreads = 2\n'
SIDE = "SELECT range AS k, md5(range::VARCHAR) AS t FROM range({rows})"
JOIN = "SELECT count(*) AS n FROM {a} JOIN {b} USING (k, t)"
SCRIPT = """import duckdb, sys
with duckdb.connect(sys.argv[1], config={"memory_limit": "256MB", "threads": "2"}) as connection:
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("CREATE TABLE joined AS " + open("query.sql").read())
"""


def prepare(place: Place, rows: int) -> list[Contender]:
    root, script = place.subfolder("osiris"), place.subfolder("script")
    side = SIDE.format(rows=rows)
    (root / "models").mkdir()
    (root / "osiris-sql.toml").write_text(SETTINGS)
    for name in ("a", "b"):
        (root / f"models/{name}.sql").write_text(f"{{{{ config(materialized='ephemeral') }}}}\n{side}")
    (root / "models/joined.sql").write_text(
        "{{ config(materialized='table') }}\n" + JOIN.format(a="{{ ref('a') }} AS a", b="{{ ref('b') }} AS b")
    )
    (script / "query.sql").write_text(JOIN.format(a=f"({side}) AS a", b=f"({side}) AS b"))
    (script / "script.py").write_text(SCRIPT)
    ours = Contender(
        name="osiris-sql build",
        role="ours",
        command=osiris("build"),
        folder=root,
        environ=environ(),
        before=lambda: forget(root, ".osiris"),
        after=lambda: all_joined(root, rows),
    )
    limit = Contender(
        name="DuckDB script",
        role="limit",
        command=[sys.executable, "script.py", "script.duckdb"],
        folder=script,
        environ=plain_environ(),
        before=lambda: forget(script, "script.duckdb"),
    )
    return [ours, limit]


def all_joined(root: Path, rows: int) -> Figures:
    """Return the run's own seconds; raises if a row found no other, or the spill file stayed."""
    with duckdb.connect(str(root / ".osiris/dev.duckdb"), read_only=True) as warehouse:
        [(found,)] = warehouse.execute("SELECT n FROM joined").fetchall()
    if found != rows:
        raise BenchmarkError(f"{found} rows were joined, not {rows}")
    if any((root / ".osiris/dev.spill").glob("*")):
        raise BenchmarkError("what was spilled is still there")
    return {"inside_s": last_run(root)["seconds"]}


BENCHMARK = Benchmark(
    measures="a join many times larger than the memory that it may use",
    data='two queries of a number and its md5, joined by both; `memory_limit = "256MB"`, two threads',
    limit="the same query with the same memory in one Python script of DuckDB",
    series=[
        Series(
            name="join",
            title="A join larger than its memory",
            unit="rows",
            sizes=(1_000_000, 5_000_000, 20_000_000),
            quick=10_000,
            prepare=prepare,
            rounds=1,
            patience=120.0,
            goals=[
                Goal(
                    says="at 20,000,000 rows a side, which is 2 GB, at most 1.3 × the memory of the script",
                    found=lambda cost: cost("osiris-sql build", "peak_mb") / cost("DuckDB script", "peak_mb"),
                    at_most=1.3,
                    size=20_000_000,
                )
            ],
        )
    ],
)
