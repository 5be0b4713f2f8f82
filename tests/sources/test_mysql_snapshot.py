"""One instant for all tables and all connections, whatever is written meanwhile."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest
from servers.mariadb import MariaDb, mariadb_server
from sources.arrivals import arrive, columns, read, request
from sources.mysql_shop import MysqlShop, step_of

from osiris_sql.sources.mysql import PLUGIN, MysqlSource, instant, ranges
from osiris_sql.types.diagnostic import OsirisError, StepError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers

numbers = itertools.count(1_000_000, 1_000_000)
PARENTS, CHILDREN = 3_000, 20_000
ID = columns(id="BIGINT")
BOTH = columns(id="BIGINT", customer="BIGINT")


@pytest.fixture(scope="module")
def busy(mariadb: MariaDb) -> MariaDb:
    mariadb.create_database("busy")
    mariadb.create_user("busy", "pw", "SELECT ON busy.*")
    mariadb.execute(
        "CREATE TABLE customers (id BIGINT PRIMARY KEY, orders INT NOT NULL)",
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer BIGINT NOT NULL,"
        " FOREIGN KEY (customer) REFERENCES customers (id))",
        f"INSERT INTO customers SELECT seq, 0 FROM seq_1_to_{PARENTS}",
        f"INSERT INTO orders SELECT seq, 1 + seq % {PARENTS} FROM seq_1_to_{CHILDREN}",
        "ANALYZE TABLE customers, orders",
        database="busy",
    )
    return mariadb


@pytest.fixture
def cut_small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "WORTH_IT", 100)


def connected(server: MariaDb, **more) -> MysqlSource:
    given = {"host": server.host, "port": server.port, "database": "busy", "user": "busy"}
    return PLUGIN(PLUGIN.Options(**(given | {"password": Secret("pw")} | more)), Path())


@contextmanager
def writers(server: MariaDb, count: int = 2) -> Iterator[list[int]]:
    """Insert, update and delete customers with their orders all the time, each time in one transaction."""
    stop, written = threading.Event(), [0]

    def write(own: int) -> None:
        chance = random.Random(own)
        fresh = next(numbers)
        with server.connect("busy", autocommit=False) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                fresh += 1
                old = chance.choice([chance.randrange(1, PARENTS), fresh - 40])
                try:
                    cursor.execute("INSERT INTO customers VALUES (%s, 1)", (fresh,))
                    cursor.execute("INSERT INTO orders VALUES (%s, %s)", (fresh, fresh))
                    cursor.execute("UPDATE orders SET customer = %s WHERE customer = %s", (fresh, fresh - 9))
                    cursor.execute("DELETE FROM orders WHERE customer = %s", (old,))
                    cursor.execute("DELETE FROM customers WHERE id = %s", (old,))
                except pymysql.MySQLError:  # the other one was there first
                    connection.rollback()
                else:
                    connection.commit()
                    written[0] += 1

    threads = [threading.Thread(target=write, args=(own,), daemon=True) for own in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("more", [{}, {"connections": 3}], ids=["one connection", "three"])
def test_foreign_keys_hold_in_what_arrived_while_others_write(busy, cut_small_tables, more):
    """Children are read first: a parent that came or went since then would be missed."""
    used = set()
    with writers(busy) as written:
        for _ in range(15):
            before = written[0]
            with connected(busy, **more).snapshot() as snapshot:
                rows = snapshot.read(request("orders", BOTH))
                used.add(rows.observed["connections"])
                orders = arrive(rows, BOTH)[1]
                while written[0] < before + 5:
                    threading.Event().wait(0.005)
                customers = {id_ for (id_,) in arrive(snapshot.read(request("customers", ID)), ID)[1]}
            assert [customer for _, customer in orders if customer not in customers] == []
            assert len({id_ for id_, _ in orders}) == len(orders)
    assert max(used) == more.get("connections", 1)


def test_without_a_snapshot_they_need_not_hold(busy, cut_small_tables):
    """The test above would find it."""
    with writers(busy) as written, connected(busy, snapshot="none").snapshot() as snapshot:
        for _ in range(50):
            orders = arrive(snapshot.read(request("orders", BOTH)), BOTH)[1]
            before = written[0]
            while written[0] < before + 20:
                threading.Event().wait(0.005)
            customers = {id_ for (id_,) in arrive(snapshot.read(request("customers", ID)), ID)[1]}
            if [customer for _, customer in orders if customer not in customers]:
                return
    pytest.fail("the writers change nothing that matters")


def test_where_others_write_between_the_snapshots_each_time_one_connection_reads(
    busy, cut_small_tables, monkeypatch
):
    """Five times the positions differ; after that the first connection reads alone, and says why."""
    tries, begin = [], instant._begin

    def others_write_first(connection):
        tries.append(connection)
        busy.execute("UPDATE customers SET orders = orders + 1 WHERE id = 0", database="busy")
        return begin(connection)

    busy.execute("REPLACE INTO customers VALUES (0, 0)", database="busy")  # nobody else writes this one
    monkeypatch.setattr(instant, "_begin", others_write_first)
    with connected(busy, connections=2).snapshot() as snapshot:
        [(written,)] = busy.execute("SELECT orders FROM customers WHERE id = 0", database="busy")
        wanted = columns(orders="INTEGER")
        rows = snapshot.read(request("customers", wanted, where="id = 0"))
        assert rows.observed["one_connection"] == f"others wrote between the snapshots, {instant.TRIES} times"
        assert (rows.observed["connections"], rows.observed["snapshot"]) == (1, snapshot.position)
        # The first of the last two begins before the write that the second one sees.
        assert arrive(rows, wanted)[1] == [(str(written - 1),)]
    assert len(tries) == 2 * instant.TRIES


def test_a_lock_for_a_moment_fixes_the_instant_too(busy, cut_small_tables):
    root = {"user": "root", "password": Secret(busy.root_password)}
    with writers(busy) as written, connected(busy, snapshot="lock", connections=2, **root).snapshot() as held:
        before = written[0]
        rows = held.read(request("orders", ID))
        assert rows.observed["connections"] == 2
        first = arrive(rows, ID)[1]
        while written[0] < before + 10:  # nobody is locked out any more
            threading.Event().wait(0.005)
        assert sorted(arrive(held.read(request("orders", ID)), ID)[1]) == sorted(first)


def test_a_lock_needs_a_privilege(busy):
    with pytest.raises(OsirisError) as error, connected(busy, snapshot="lock", connections=2).snapshot():
        pass
    assert "RELOAD" in str(error.value.diagnostics[0].why)


SPREADS = [
    ("BIGINT", f"{-(2**63)} + CAST(seq AS SIGNED) * 9007199254740993"),
    ("BIGINT", "CAST(seq AS SIGNED) * CAST(seq AS SIGNED) - 5000"),
    ("BIGINT UNSIGNED", f"{2**64 - 1 - 1000} + seq"),
]


@pytest.mark.parametrize(("kind", "spread"), SPREADS)
def test_ranges_of_the_key_hold_each_row_once(busy, cut_small_tables, kind, spread):
    busy.execute(
        f"CREATE OR REPLACE TABLE keyed (id {kind} PRIMARY KEY)",
        f"INSERT INTO keyed SELECT {spread} FROM seq_1_to_1000",
        "ANALYZE TABLE keyed",
        database="busy",
    )
    wanted = columns(id="UBIGINT" if "UNSIGNED" in kind else "BIGINT")
    expected = [str(id_) for (id_,) in busy.execute("SELECT id FROM keyed ORDER BY id", database="busy")]
    with connected(busy, connections=2).snapshot() as snapshot:
        rows = snapshot.read(request("keyed", wanted))
        assert rows.observed["connections"] == 2
        assert sorted((id_ for (id_,) in arrive(rows, wanted)[1]), key=int) == expected


def test_what_can_not_be_cut_is_read_by_one_connection(busy, cut_small_tables):
    busy.execute(
        "CREATE OR REPLACE TABLE named (id VARCHAR(9) PRIMARY KEY)",
        "INSERT INTO named SELECT seq FROM seq_1_to_1000",
        "CREATE OR REPLACE TABLE none_yet (id BIGINT PRIMARY KEY)",
        "CREATE OR REPLACE VIEW viewed AS SELECT id FROM orders",
        database="busy",
    )
    with connected(busy, connections=2).snapshot() as snapshot:
        for table in ("named", "none_yet", "viewed"):
            assert snapshot.read(request(table, ID)).observed["connections"] == 1
    assert foretold(connected(busy, connections=2), "named", "none_yet", "viewed", "orders", "gone") == [
        "one connection: its key begins with no whole number",
        "one connection: the server estimates less than 100 rows",
        "one connection: it has no key",
        "2 connections at once, by ranges of id, if they prove to see one instant",
        "",
    ]
    assert foretold(connected(busy), "orders") == ["one connection (`connections: 1`)"]


def foretold(source: MysqlSource, *tables: str) -> list[str]:
    """What the plan says of how each table will be read."""
    return [seen.reading for seen in source.probe_change({f"source:busy.{name}": name for name in tables})]


def test_a_parallel_read_that_is_given_up_leaves_the_snapshot_usable(busy, cut_small_tables):
    with connected(busy, connections=3).snapshot() as snapshot:
        next(snapshot.read(request("orders", ID)).batches)
        assert len(arrive(snapshot.read(request("customers", ID)), ID)[1]) > 1000
    assert not [thread for thread in threading.enumerate() if thread.name == "mysql-reader"]


def test_zero_dates_of_all_ranges_are_counted(busy, cut_small_tables):
    busy.execute(
        "CREATE OR REPLACE TABLE dated (id INT PRIMARY KEY, d DATE)",
        "SET sql_mode = ''",
        "INSERT INTO dated SELECT seq, IF(seq % 10, '2024-01-01', '0000-00-00') FROM seq_1_to_1000",
        "ANALYZE TABLE dated",
        database="busy",
    )
    with pytest.raises(StepError, match="column d of table dated holds 100 zero dates"):
        read(connected(busy, connections=2), "dated", columns(d="DATE"))


def test_a_server_that_can_prove_nothing_is_read_by_one_connection_and_says_why(cut_small_tables):
    with mariadb_server() as quiet:
        quiet.create_database("busy")
        quiet.execute("CREATE TABLE orders AS SELECT seq AS id FROM seq_1_to_500", database="busy")
        root = {"user": "root", "password": Secret(quiet.root_password), "connections": 2}
        with connected(quiet, **root).snapshot() as snapshot:
            observed = snapshot.read(request("orders", ID)).observed
        assert foretold(connected(quiet, **root), "orders") == [
            f"one connection: {observed['one_connection']}"
        ]
    assert observed["connections"] == 1
    assert observed["snapshot"] == "unknown: the server writes no binary log"
    assert "no binary log" in observed["one_connection"]


def test_the_run_card_has_the_position_and_names_what_is_outside(mariadb, tmp_path, monkeypatch):
    shop = MysqlShop(mariadb, tmp_path, "carded", monkeypatch)
    shop.sql("CREATE TABLE held AS SELECT 1 AS id", "CREATE TABLE loose ENGINE=MyISAM AS SELECT 1 AS id")
    both = "SELECT id FROM shop.held UNION ALL SELECT id FROM shop.loose"
    shop.write("      - name: held\n      - name: loose", {"both": both})
    result = shop.build()
    observed = shop.card(result, "observed")
    assert observed["extract.shop.held"]["snapshot"].startswith("binlog.")
    assert observed["extract.shop.loose"]["snapshot"].startswith("outside")
    [warned] = step_of(result, "extract.shop.loose").diagnostics
    assert (warned.rule, "loose" in warned.message) == ("outside-snapshot", True)
    assert step_of(result, "extract.shop.held").diagnostics == ()
