"""Data tests: `osiris-sql test` beside `dbt test`, and beside one hand-written scan a table.

Two shapes, each with 8 tests a table (unique x 2, not_null x 4, accepted_values, relationships), all of
which pass:

    wide    50 tables of 1,000,000 rows and 7 columns
    many    1,000 tables of 100 rows

Peers: dbt-duckdb 1.11 (`dbt-core<1.12`), installed into benchmarks/.venvs/dbt, 4 threads, its parse
cached by the warm-up. Limit: one statement a table that answers all 8 questions, on the same file, by
the same DuckDB. Runs alternate after a warm-up; the numbers are medians of whole processes, start-up and
compiling included, and of the time inside the run alone. Run it from the repository's root:

    .venv/bin/python benchmarks/tests.py [wide|many] [--tables N] [--rows N] [--rounds N] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DBT = HERE / ".venvs" / "dbt"
REQUIRED = ["dbt-core<1.12", "dbt-duckdb<1.12"]
SHAPES = {"wide": (50, 1_000_000), "many": (1_000, 100)}

MODEL = """select
  i::bigint as id,
  (i % 1000)::bigint as customer_id,
  case i % 3 when 0 then 'new' when 1 then 'paid' else 'sent' end as state,
  (i % 9973)::decimal(12, 2) as amount,
  date '2020-01-01' + (i % 1000)::integer as day,
  'c' || i as code,
  'note ' || (i % 50) as note
from range({rows}) as r(i)
"""
CUSTOMERS = "select i::bigint as id from range(1000) as r(i)\n"
TESTS = """  - name: {name}
    columns:
      - {{name: id, data_tests: [unique, not_null]}}
      - name: customer_id
        data_tests:
          - not_null
          - relationships: {{arguments: {{to: ref('customers'), field: id}}}}
      - name: state
        data_tests:
          - not_null
          - accepted_values: {{arguments: {{values: [new, paid, sent]}}}}
      - {{name: amount, data_tests: [not_null]}}
      - {{name: code, data_tests: [unique]}}
"""
BY_HAND = """SELECT count(id) - count(DISTINCT id), count(code) - count(DISTINCT code),
  count(*) - count(id), count(*) - count(customer_id), count(*) - count(state), count(*) - count(amount),
  count(*) FILTER (WHERE state NOT IN ('new', 'paid', 'sent')),
  count(*) FILTER (WHERE customer_id NOT IN (SELECT id FROM customers WHERE id IS NOT NULL))
FROM {name}"""
HAND_SCRIPT = """import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
for name in sys.argv[2].split(","):
    row = connection.execute(sys.argv[3].replace("{name}", name)).fetchone()
    assert row == (0,) * 8, (name, row)
"""


def write_project(root: Path, tables: list[str], rows: int) -> None:
    """Write the models and their tests once, with the settings of both tools around them."""
    (root / "models").mkdir(parents=True)
    (root / "models" / "customers.sql").write_text(CUSTOMERS)
    for name in tables:
        (root / "models" / f"{name}.sql").write_text(MODEL.format(rows=rows))
    declared = "".join(TESTS.format(name=name) for name in tables)
    (root / "models" / "schema.yml").write_text(f"version: 2\nmodels:\n{declared}")
    (root / "osiris-sql.toml").write_text(
        'name = "bench"\nwarehouse = "ours.duckdb"\n[models]\nmaterialized = "table"\n'
    )
    (root / "dbt_project.yml").write_text(
        "name: bench\nversion: '1.0'\nprofile: bench\nmodels: {bench: {+materialized: table}}\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    )
    (root / "profiles.yml").write_text(
        "bench: {target: dev, outputs: {dev: {type: duckdb, path: dbt.duckdb, threads: 4}}}\n"
    )


def run(command: list[str], root: Path) -> float:
    """Return the seconds of a command, which must succeed."""
    environ = {**os.environ, "DBT_PROFILES_DIR": str(root), "DO_NOT_TRACK": "1"}
    began = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:200]}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return seconds


def inside_osiris(root: Path) -> float:
    """Return the seconds that the last run of ours took by its own account, from plan to end."""
    newest = max((root / ".osiris" / "runs").iterdir(), key=lambda folder: folder.stat().st_mtime)
    result = json.loads((newest / "run_results.json").read_text())
    assert all(test["status"] == "pass" for test in result["tests"]), "every test must run and pass"
    return float(result["seconds"])


def inside_dbt(root: Path) -> float:
    """Return the seconds that the last run of dbt took by its own account."""
    result = json.loads((root / "target" / "run_results.json").read_text())
    assert all(one["status"] == "pass" for one in result["results"])
    return float(result["elapsed_time"])


def install_dbt() -> bool:
    """Say whether dbt is there, after it was installed if it could be."""
    if (DBT / "bin" / "dbt").exists():
        return True
    venv.create(DBT, with_pip=True)
    pip = [str(DBT / "bin" / "pip"), "install", "--quiet", *REQUIRED]
    return subprocess.run(pip, check=False).returncode == 0


def measure(tables: int, rows: int, rounds: int) -> dict[str, Any]:
    names = [f"t{number:04}" for number in range(tables)]
    root = Path(tempfile.mkdtemp(prefix="osiris-bench-"))
    try:
        write_project(root, names, rows)
        ours = [str(Path(sys.executable).with_name("osiris-sql"))]
        by_hand = [sys.executable, "-c", HAND_SCRIPT, str(root / "ours.duckdb"), ",".join(names), BY_HAND]
        run([*ours, "build"], root)
        runners: dict[str, list[str]] = {"osiris-sql test": [*ours, "test"], "by hand": by_hand}
        inside: dict[str, Callable[[Path], float]] = {"osiris-sql test": inside_osiris}
        if install_dbt():
            dbt = [str(DBT / "bin" / "dbt"), "--quiet"]
            run([*dbt, "run"], root)
            runners["dbt test"] = [*dbt, "test"]
            inside["dbt test"] = inside_dbt
        wall: dict[str, list[float]] = {name: [] for name in runners}
        within: dict[str, list[float]] = {name: [] for name in inside}
        for number in range(rounds + 1):
            for name, command in runners.items():
                seconds = run(command, root)
                if number:  # the first round warms the caches up
                    wall[name].append(seconds)
                    if name in inside:
                        within[name].append(inside[name](root))
        return {"tables": tables, "rows": rows, "tests": 8 * tables, "wall": wall, "inside": within}
    finally:
        shutil.rmtree(root, ignore_errors=True)


def report(result: dict[str, Any]) -> str:
    lines = [f"{result['tests']:,} tests of {result['tables']:,} tables of {result['rows']:,} rows"]
    medians = {}
    for kind in ("wall", "inside"):
        for name, seconds in result[kind].items():
            medians[kind, name] = statistics.median(seconds)
            spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
            lines.append(f"  {kind:<6}  {name:<16} {medians[kind, name]:8.2f} s  ({spread})")
    mine, hand = medians["wall", "osiris-sql test"], medians["wall", "by hand"]
    lines.append(f"  ratio   run itself / by hand      {medians['inside', 'osiris-sql test'] / hand:.2f}")
    lines.append(f"  ratio   osiris-sql / by hand      {mine / hand:.2f}")
    if ("wall", "dbt test") in medians:
        lines.append(f"  ratio   dbt / osiris-sql          {medians['wall', 'dbt test'] / mine:.2f}")
        inside = medians["inside", "dbt test"] / medians["inside", "osiris-sql test"]
        lines.append(f"  ratio   dbt / osiris-sql, inside  {inside:.2f}")
    else:
        lines.append("  dbt could not be installed")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", nargs="?", choices=list(SHAPES), help="default: both")
    parser.add_argument("--tables", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    results = {}
    for shape in [given.shape] if given.shape else list(SHAPES):
        tables, rows = SHAPES[shape]
        results[shape] = measure(given.tables or tables, given.rows or rows, given.rounds)
        print(f"{shape}: {report(results[shape])}", flush=True)
    if given.out:
        given.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
