"""1,000 small models (12 layers, 2 parents each) as tables: osiris-sql's run against bare DuckDB.

The same statements run A B A B: once as a plan, once as a script with a transaction for each. What compiling
costs is measured apart. Prints medians with their range, and ratios; the last line is JSON.

    python benchmarks/build.py [--models 1000] [--rows 1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from osiris_sql import api
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.plan import Materialize, Plan
from osiris_sql.types.settings import PINNED_SETTINGS, SETTINGS_SINCE_2

LAYERS = 12
SOURCES = """
version: 1
connections: { shop: { type: files, path: data } }
sources:
  - name: shop
    tables:
      - name: items
        columns: [{ name: id, data_type: BIGINT }, { name: v, data_type: BIGINT }]
"""


def write_project(root: Path, models: int, rows: int) -> None:
    (root / "models").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "osiris-sql.toml").write_text('name = "bench"\n[models]\nmaterialized = "table"\n')
    (root / "sources.yml").write_text(SOURCES)
    (root / "data/items.csv").write_text("id,v\n" + "".join(f"{n},{n % 97}\n" for n in range(rows)))
    width = max(2, models // LAYERS)
    for n in range(models):
        layer, place = divmod(n, width)
        above = [(layer - 1) * width + (place + k) % width for k in (0, 1)]
        a, b = (f"m{p}" for p in above) if layer else ("shop.items", "shop.items")
        text = (
            f"SELECT a.id, (a.v + b.v) % 1000 AS v FROM {a} AS a JOIN {b} AS b USING (id) WHERE a.id <> {n}\n"
        )
        (root / f"models/m{n}.sql").write_text(text)


def run_raw(plan: Plan, seed: Path, folder: Path) -> float:
    """The plan's own statements on a copy of the warehouse that holds the source's rows."""
    shutil.copy(seed, folder / "raw.duckdb")
    began = time.perf_counter()
    with duckdb.connect(str(folder / "raw.duckdb")) as connection:
        for name, value in PINNED_SETTINGS.items():
            if not (name in SETTINGS_SINCE_2 and duckdb.__version__.startswith("1.")):
                connection.execute(f"SET {name} = '{value}'")
        for step in plan.steps:
            if isinstance(step, Materialize):
                connection.execute("BEGIN")
                connection.execute(f"CREATE OR REPLACE TABLE {step.relation.sql} AS {step.sql}")
                connection.execute("COMMIT")
    # Closing writes the checkpoint, which a run waits for as well.
    seconds = time.perf_counter() - began
    (folder / "raw.duckdb").unlink()
    return seconds


def make_plan(manifest: Manifest) -> Plan:
    return api.make_plan(manifest, api.observe_world(manifest, {}), now=datetime(2026, 1, 31, tzinfo=UTC))


def run_ours(manifest: Manifest, seed: Path, root: Path) -> tuple[float, float]:
    """Seconds of a first run, and of a second with nothing to do."""
    warehouse = root / ".osiris/dev.duckdb"
    shutil.copy(seed, warehouse)
    seconds = []
    for expected in ({"success", "reused"}, {"reused"}):
        plan = make_plan(manifest)
        began = time.perf_counter()
        result = api.run_plan(plan, root, {})
        seconds.append(time.perf_counter() - began)
        assert {step.status for step in result.steps} == expected, result.diagnostics
    return seconds[0], seconds[1]


def timed(call: Callable[[], Manifest]) -> tuple[Manifest, float]:
    began = time.perf_counter()
    return call(), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="osiris-bench-") as folder:
        root = Path(folder) / "project"
        write_project(root, asked.models, asked.rows)
        manifest, compiling = timed(lambda: api.compile_project(api.load_project(root)))
        assert not [d for d in manifest.diagnostics if d.severity == "error"], manifest.diagnostics[:3]
        observed = api.observe_world(manifest, {}, select=["source:shop"])
        api.run_plan(api.make_plan(manifest, observed, select=["source:shop"]), root, {})
        seed = Path(folder) / "seed.duckdb"
        shutil.copy(root / ".osiris/dev.duckdb", seed)
        plan = make_plan(manifest)
        ours, raw, idle = [], [], []
        for _ in range(asked.rounds):
            raw.append(run_raw(plan, seed, Path(folder)))
            first, second = run_ours(manifest, seed, root)
            ours.append(first)
            idle.append(second)
    report(asked.models, compiling, {"run": ours, "raw DuckDB": raw, "no change": idle})


def report(models: int, compiling: float, measured: dict[str, list[float]]) -> None:
    for name, seconds in measured.items():
        middle = statistics.median(seconds)
        print(f"{name:12} {middle:7.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})")
    medians = {name: statistics.median(seconds) for name, seconds in measured.items()}
    found = {
        "models": models,
        "compile_seconds": round(compiling, 2),
        "seconds": {name: round(value, 3) for name, value in medians.items()},
        "run_to_raw": round(medians["run"] / medians["raw DuckDB"], 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "duckdb": duckdb.__version__,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
