"""Peak memory of one build, MySQL → model → Supabase, at 500,000 and 5,000,000 generated rows.

The limit: memory that does not grow with the rows. Run it from the repository's root:

    .venv/bin/python benchmarks/flat_memory.py [small] [large]

It starts a MariaDB and a PostgreSQL of its own, prints one line a size and the ratio, and exits
with 1 if the ratio is above 1.3. The peak is the resident set (VmHWM) of the build's process, which
has DuckDB, pyarrow and the drivers in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from servers.mariadb import MariaDb, mariadb_server
from servers.postgres import PostgresServer, running_postgres

LIMIT = 1.3
FILES = {
    "osiris-sql.toml": 'name = "flat"\nmemory_limit = "128MB"\n',
    "sources.yml": """
version: 1
connections:
  shop:
    type: mysql
    host: "${BENCH_HOST}"
    port: "${BENCH_PORT}"
    database: shop
    user: root
    password: "${BENCH_PASSWORD}"
sources:
  - name: shop
    tables: [{ name: orders }]
""",
    "models/orders_out.sql": "{{ config(materialized='table') }}\n"
    "select order_id, customer, amount, note, placed_at from {{ source('shop', 'orders') }}\n",
    "targets.yml": """
version: 1
connections:
  app: { type: supabase, dsn: "${BENCH_DSN}" }
targets:
  - name: app
    tables: [{ name: orders_out, model: orders_out, mode: upsert, key: [order_id], create: true }]
""",
}
RUNNER = """
import os, sys
sys.argv = ["osiris-sql", "build"]
from osiris_sql.cli import main
try:
    main()
except SystemExit as ended:
    code = ended.code or 0
else:
    code = 0
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("PEAK", int(peak.split()[1]), file=sys.stderr)
sys.exit(code)
"""


def fill(server: MariaDb, rows: int) -> None:
    """Make a table of five mixed columns by the server's own sequence engine."""
    server.create_database("shop")
    server.execute(
        "CREATE TABLE orders (order_id BIGINT UNSIGNED NOT NULL PRIMARY KEY, customer INT,"
        " amount DECIMAL(12,2), note VARCHAR(60), placed_at DATETIME(6))",
        "INSERT INTO orders SELECT seq, seq % 9973, seq / 7, IF(seq % 5, CONCAT('order number ', seq), NULL),"
        f" '2026-01-01' + INTERVAL seq SECOND FROM seq_1_to_{rows}",
        database="shop",
    )


def measure(server: MariaDb, postgres: PostgresServer, rows: int) -> int:
    """Return the peak resident set of one build, in KiB."""
    fill(server, rows)
    dsn = postgres.create_database(f"flat_{rows}")
    environ = {
        **os.environ,
        "BENCH_HOST": server.host,
        "BENCH_PORT": str(server.port),
        "BENCH_PASSWORD": server.root_password,
        "BENCH_DSN": dsn,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        tool = Path(sys.executable).with_name("osiris-sql")
        subprocess.run([tool, "discover"], cwd=folder, env=environ, check=True, stderr=subprocess.PIPE)
        built = subprocess.run(
            [sys.executable, "-c", RUNNER],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if built.returncode:
            sys.exit(built.stderr)
        published = next(Path(folder).glob(".osiris/runs/*/run_card.json"))
        facts = json.loads(published.read_text())["facts"]["steps"]["publish.app.orders_out"]
        if facts["total_after"] != rows:
            sys.exit(f"{facts['total_after']} rows arrived, not {rows}")
    return int(built.stderr.rpartition("PEAK ")[2])


def main() -> int:
    """Measure both sizes and return the exit code."""
    small, large = (int(n) for n in (sys.argv[1:] or ["500000", "5000000"]))
    with mariadb_server() as server, running_postgres() as postgres:
        peaks = [measure(server, postgres, rows) for rows in (small, large)]
    for rows, peak in zip((small, large), peaks, strict=True):
        print(f"{rows:>12,} rows  peak {peak / 1024:7.1f} MiB")
    ratio = peaks[1] / peaks[0]
    print(f"ratio {ratio:.2f} (limit {LIMIT})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
