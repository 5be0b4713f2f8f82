"""Peak memory of one build, MySQL → table model → Supabase, as its rows grow."""

from __future__ import annotations

import json
from pathlib import Path

from servers.postgres import running_postgres

from benchmarks.program.place import Place, osiris
from benchmarks.program.process import run_command
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Figures, Goal, Series
from benchmarks.projects.shop import fill_shop, write_source
from benchmarks.projects.tools import forget, last_folder, last_run

TARGETS = """
version: 1
connections:
  app: { type: supabase, dsn: "${BENCH_DSN}" }
targets:
  - name: app
    tables: [{ name: all_orders, model: all_orders, mode: upsert, key: [order_id], create: true }]
"""


def prepare(place: Place, rows: int) -> list[Contender]:
    server, postgres = fill_shop(place, rows), place.servers.get(running_postgres)
    root = place.subfolder("osiris")
    around = write_source(root, server)
    path = root / "models/all_orders.sql"
    path.write_text("{{ config(materialized='table') }}\n" + path.read_text())
    (root / "targets.yml").write_text(TARGETS)
    around["BENCH_DSN"] = postgres.dsn("flat")

    def begin() -> None:
        postgres.create_database("flat")
        forget(root, ".osiris")

    begin()
    run_command(osiris("discover"), root, around)
    ours = Contender(
        name="osiris-sql build",
        role="ours",
        command=osiris("build"),
        folder=root,
        environ=around,
        before=begin,
        after=lambda: published(root, rows),
    )
    return [ours]


def published(root: Path, rows: int) -> Figures:
    """Return the run's own seconds; raises if another number of rows was published."""
    card = json.loads((last_folder(root) / "run_card.json").read_text())
    arrived = card["facts"]["steps"]["publish.app.all_orders"]["total_after"]
    if arrived != rows:
        raise BenchmarkError(f"{arrived} rows arrived, not {rows}")
    return {"inside_s": last_run(root)["seconds"]}


BENCHMARK = Benchmark(
    measures="peak memory of one build: MySQL → table model → upsert into Supabase",
    data='`orders`: ten mixed columns; `memory_limit = "128MB"` in the project',
    limit="memory that does not grow with the rows",
    series=[
        Series(
            name="rows",
            title="The whole way",
            unit="rows",
            sizes=(50_000, 500_000, 5_000_000),
            quick=1000,
            prepare=prepare,
            rounds=1,
            goals=[
                Goal(
                    says="at most 1.3 × as much memory at 5,000,000 rows as at 500,000",
                    found=lambda cost: (
                        cost("osiris-sql build", "peak_mb") / cost("osiris-sql build", "peak_mb", 500_000)
                    ),
                    at_most=1.3,
                    size=5_000_000,
                )
            ],
        )
    ],
)
