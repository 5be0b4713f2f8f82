"""What can go wrong between a plan and its rows, on a real server behind a proxy.

After each fault: a clear error, the rows of the last good run still there, and the next run right.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest
from run.plans import Collected
from run.projects import plan_folder, rows_of, write_files
from servers.mariadb import MariaDb, mariadb_server
from servers.tcp_proxy import TcpProxy, tcp_proxy
from sources.mysql_shop import said

from osiris_sql import api
from osiris_sql.types.plan import Plan
from osiris_sql.types.result import RunResult

pytestmark = pytest.mark.servers

ROWS = 600_000
EXTRACT = "extract.shop.orders"
COUNTED = """{{ config(materialized='table') }}
SELECT count(*)::BIGINT AS n, sum(length(note))::BIGINT AS size FROM shop.orders
"""
PASSWORD = "first%password"
SOURCES = """
version: 1
connections:
  shop: {{ type: mysql, host: 127.0.0.1, port: {port}, database: faults, user: reader, password: "${{PW}}",
    read_timeout: 3, connect_timeout: 3 }}
sources: [{{ name: shop, tables: [{{ name: orders }}] }}]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    """A server of one's own: it is restarted, and its limits are changed."""
    with mariadb_server("--max-connections=10") as running:
        running.create_database("faults")
        running.execute(
            "CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(99))",
            f"INSERT INTO orders SELECT seq, REPEAT('x', 99) FROM seq_1_to_{ROWS}",
            database="faults",
        )
        yield running


@dataclass
class Shop:
    """A project that was built once, and a table that has one row more since then."""

    server: MariaDb
    proxy: TcpProxy
    root: Path
    size: int = 0

    def sql(self, *statements: str) -> None:
        self.server.execute(*statements, database="faults")

    def build(self, plan: Plan) -> RunResult:
        return api.run_plan(plan, self.root, dict(os.environ), (Collected(),))

    def counted(self) -> tuple[int, int]:
        [row] = rows_of(self.root, "main.counted")
        return row

    def while_rows_stall(self, act: Callable[[], None], share: float = 0.5) -> None:
        """Act once so much of the table has arrived, and let the rest flow after that."""
        self.proxy.stall_after(int(self.size * share))

        def wait_and_act() -> None:
            while self.proxy.passed("down") < int(self.size * share):
                threading.Event().wait(0.01)
            act()
            self.proxy.heal()

        threading.Thread(target=wait_and_act, daemon=True).start()


@pytest.fixture
def shop(server: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    server.create_user("reader", PASSWORD, "SELECT ON faults.*")
    monkeypatch.setenv("PW", PASSWORD)
    with tcp_proxy(server.port) as proxy:
        made = Shop(server, proxy, tmp_path)
        files = {"osiris-sql.toml": 'name = "shop"\n', "models/counted.sql": COUNTED}
        write_files(tmp_path, {**files, "sources.yml": SOURCES.format(port=proxy.port)})
        api.discover_sources(api.load_project(tmp_path), [], os.environ)
        proxy.heal()
        assert made.build(plan_folder(tmp_path)).status == "success"
        made.size = proxy.passed("down")
        proxy.heal()
        made.sql("INSERT INTO orders SELECT max(id) + 1, 'one more' FROM orders")
        yield made


def cut_handshake(shop: Shop, stack: ExitStack) -> None:
    shop.proxy.cut_after(20)


def refuse(shop: Shop, stack: ExitStack) -> None:
    shop.proxy.refuse()


def cut_at_row_500_000(shop: Shop, stack: ExitStack) -> None:
    shop.proxy.cut_after(shop.size * 500_000 // ROWS)


def stall(shop: Shop, stack: ExitStack) -> None:
    shop.proxy.stall_after(shop.size // 2)


def stall_handshake(shop: Shop, stack: ExitStack) -> None:
    shop.proxy.stall_after(20)


def kill(shop: Shop, stack: ExitStack) -> None:
    def act() -> None:
        for number, user, *_ in shop.server.execute("SHOW PROCESSLIST"):
            if user == "reader":
                shop.server.execute(f"KILL {number}")

    shop.while_rows_stall(act)


def kill_query(shop: Shop, stack: ExitStack) -> None:
    def act() -> None:
        for number, user, *_ in shop.server.execute("SHOW PROCESSLIST"):
            if user == "reader":
                shop.server.execute(f"KILL QUERY {number}")

    shop.while_rows_stall(act)


def restart(shop: Shop, stack: ExitStack) -> None:
    def act() -> None:
        shop.server.execute("SHUTDOWN")
        assert shop.server.process is not None
        shop.server.process.wait(60)

    shop.while_rows_stall(act)
    stack.callback(shop.server.start)


def take_all_connections(shop: Shop, stack: ExitStack) -> None:
    with pytest.raises(pymysql.OperationalError, match="1040"):
        while True:
            stack.enter_context(closing(shop.server.connect()))


def change_password(shop: Shop, stack: ExitStack) -> None:
    shop.server.execute("SET PASSWORD FOR reader@'%' = PASSWORD('another')")
    stack.callback(shop.server.execute, f"SET PASSWORD FOR reader@'%' = PASSWORD('{PASSWORD}')")


def drop_table(shop: Shop, stack: ExitStack) -> None:
    shop.sql("RENAME TABLE orders TO gone")
    stack.callback(shop.sql, "RENAME TABLE gone TO orders")


def drop_column(shop: Shop, stack: ExitStack) -> None:
    shop.sql("ALTER TABLE orders RENAME COLUMN note TO gone")
    stack.callback(shop.sql, "ALTER TABLE orders RENAME COLUMN gone TO note")


PLACE = "the MySQL server 127.0.0.1:"
FAULTS = [
    (cut_handshake, f"server-down: can't connect to {PLACE}"),
    (refuse, f"server-down: can't connect to {PLACE}"),
    (stall_handshake, f"server-down: can't connect to {PLACE}"),
    (cut_at_row_500_000, f"connection-lost: the connection to {PLACE}"),
    (stall, f"connection-lost: the connection to {PLACE}"),
    (kill, "lost while reading table orders"),
    (kill_query, "source-failed: reading table orders failed"),
    (restart, "lost while reading table orders"),
    (take_all_connections, "too-many-connections"),
    (change_password, "access-denied"),
    (drop_table, "unknown-table"),
    (drop_column, "source-drifted: shop.orders has lost columns that are read: note"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_fault_is_told_keeps_the_last_rows_and_the_next_run_is_right(shop, fault, words):
    before = shop.counted()
    plan = plan_folder(shop.root)
    shop.proxy.heal()
    with ExitStack() as stack:
        fault(shop, stack)
        failed = shop.build(plan)
        shop.proxy.heal()
    assert failed.status == "failed"
    [told] = said(failed, EXTRACT)
    assert words in told
    assert PASSWORD not in told
    assert shop.counted() == before
    assert shop.build(plan_folder(shop.root)).status == "success"
    assert shop.counted() == (before[0] + 1, before[1] + len("one more"))


def test_a_slow_network_is_waited_for(shop):
    """No byte is silent for as long as `read_timeout`, and all of it takes longer than that."""
    before = shop.counted()
    plan = plan_folder(shop.root)
    shop.proxy.heal()
    shop.proxy.throttle(shop.size // 4)
    assert shop.build(plan).status == "success"
    assert shop.counted()[0] == before[0] + 1
