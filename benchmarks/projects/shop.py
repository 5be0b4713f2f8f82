"""A shop in MariaDB, filled by the server's own sequence engine: `orders`, ten mixed columns, n rows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from servers.mariadb import MariaDb, mariadb_server

from benchmarks.program.place import Place, environ  # must come first: it finds the tests' servers
from benchmarks.program.shape import BenchmarkError, Figures
from benchmarks.projects.tools import last_run

USER, PASSWORD, DATABASE = "bench", "only-reads", "shop"
COLUMNS = """
order_id BIGINT UNSIGNED NOT NULL PRIMARY KEY, customer INT NOT NULL,
state ENUM('new', 'paid', 'sent') NOT NULL, amount DECIMAL(12,2) NOT NULL,
placed_at DATETIME(6) NOT NULL, shipped DATE, name VARCHAR(60) NOT NULL,
note VARCHAR(120), gift TINYINT(1) NOT NULL, weight DOUBLE NOT NULL
"""
ROWS = """
INSERT INTO orders SELECT seq, seq % 9973, ELT(1 + seq % 3, 'new', 'paid', 'sent'), seq / 7,
 '2026-01-01' + INTERVAL seq SECOND + INTERVAL seq % 1000 MICROSECOND,
 IF(seq % 4, '2026-01-01' + INTERVAL seq % 365 DAY, NULL), CONCAT('Käufer ', seq % 50021),
 IF(seq % 5, CONCAT('order number ', seq, ', to be left at the door'), NULL), seq % 10 = 0, seq / 3
FROM seq_1_to_{rows}
"""
ALL_ORDERS = {"all_orders": "select * from {{ source('shop', 'orders') }}\n"}
SOURCES = """
version: 1
connections:
  shop:
    type: mysql
    host: "${BENCH_HOST}"
    port: "${BENCH_PORT}"
    database: shop
    user: bench
    password: "${BENCH_PASSWORD}"
    snapshot: SNAPSHOT
sources:
  - name: shop
    tables: [{ name: orders }]
"""


def shop_server() -> AbstractContextManager[MariaDb]:
    """A server whose memory holds the table, so that no disk is measured."""
    return mariadb_server("--innodb-buffer-pool-size=1G")


def fill_shop(place: Place, rows: int) -> MariaDb:
    """Return a server whose `shop.orders` has this many rows, and whose user `bench` may only read."""
    server = place.servers.get(shop_server)
    server.create_database(DATABASE)
    server.create_user(USER, PASSWORD, f"SELECT ON `{DATABASE}`.*")
    server.execute(f"CREATE TABLE orders ({COLUMNS})", ROWS.format(rows=rows), database=DATABASE)
    server.execute("ANALYZE TABLE orders", "SELECT count(note) FROM orders", database=DATABASE)
    return server


def write_source(
    root: Path,
    server: MariaDb,
    *,
    models: Mapping[str, str] = ALL_ORDERS,
    snapshot: str = "consistent",
) -> dict[str, str]:
    """Write a project with models over the source, and return the environment in which it runs."""
    (root / "models").mkdir()
    for name, sql in models.items():
        (root / f"models/{name}.sql").write_text(sql)
    (root / "osiris-sql.toml").write_text('name = "bench"\nmemory_limit = "128MB"\n')
    (root / "sources.yml").write_text(SOURCES.replace("SNAPSHOT", snapshot))
    return environ(BENCH_HOST=server.host, BENCH_PORT=str(server.port), BENCH_PASSWORD=PASSWORD)


def address(server: MariaDb, driver: str = "mysql") -> str:
    return f"{driver}://{USER}:{PASSWORD}@{server.host}:{server.port}/{DATABASE}"


class Wire:
    """What the server sent and was asked since `begin`, by its own counters."""

    NAMES = ("Bytes_sent", "Com_select", "Handler_read_rnd_next", "Handler_read_next")

    def __init__(self, server: MariaDb) -> None:
        self._server = server
        self._before = self._read()

    def begin(self) -> None:
        self._before = self._read()

    def since(self) -> dict[str, int]:
        return {name: number - self._before[name] for name, number in self._read().items()}

    def _read(self) -> dict[str, int]:
        wanted = ", ".join(f"'{name}'" for name in self.NAMES)
        rows = self._server.execute(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({wanted})")
        return {str(name): int(number) for name, number in rows}


def rows_arrived(root: Path, rows: int) -> Figures:
    """Return the run's own seconds; raises if another number of rows was extracted."""
    result = last_run(root)
    arrived = next(step["rows_out"] for step in result["steps"] if step["step"] == "extract.shop.orders")
    if arrived != rows:
        raise BenchmarkError(f"{arrived} rows arrived, not {rows}")
    return {"inside_s": result["seconds"]}
