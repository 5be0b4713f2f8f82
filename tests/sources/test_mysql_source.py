"""One instant for all tables, streaming, discovery, and what is said when something is wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import pymysql
import pytest
from servers.mariadb import MariaDb
from servers.ports import free_port
from sources.arrivals import arrive, columns, read, request

from osiris_sql.sources.mysql import PLUGIN, MysqlSource
from osiris_sql.types.diagnostic import CancelledError, OsirisError, ProjectError, StepError, UnreachableError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers

PASSWORD = "p@ss:w/o%rd'\"\\"


@pytest.fixture(scope="module")
def shop(mariadb: MariaDb) -> MariaDb:
    mariadb.create_database("shop")
    mariadb.create_user("reader", PASSWORD, "SELECT ON shop.*")
    mariadb.execute(
        "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL COMMENT 'who''s who')"
        " COMMENT 'people'",
        "CREATE TABLE orders (customer_id INT, no INT, total DECIMAL(9,2), PRIMARY KEY (no, customer_id))",
        "CREATE TABLE empty (id INT)",
        "CREATE VIEW named AS SELECT name FROM customers",
        "INSERT INTO customers SELECT seq, CONCAT('c', seq) FROM seq_1_to_100",
        "INSERT INTO orders SELECT seq, 1, seq FROM seq_1_to_100",
        "CREATE TABLE big AS SELECT seq AS id, REPEAT('x', 1000) AS pad FROM seq_1_to_60000",
        database="shop",
    )
    return mariadb


def connected(server: MariaDb, **other) -> MysqlSource:
    given = {"host": server.host, "port": server.port, "database": "shop", "user": "reader"}
    return PLUGIN(PLUGIN.Options(**(given | {"password": Secret(PASSWORD)} | other)), Path())


ID = columns(id="INTEGER")


# ------------------------------------------------------------------------------------ one instant


def test_what_a_writer_commits_between_two_reads_is_not_seen(shop):
    with connected(shop).snapshot() as snapshot:
        before = arrive(snapshot.read(request("customers", ID)), ID)[1]
        shop.execute(
            "INSERT INTO customers VALUES (1000, 'late')",
            "INSERT INTO orders VALUES (1000, 1, 1)",
            "DELETE FROM orders WHERE customer_id = 1",
            database="shop",
        )
        wanted = columns(customer_id="INTEGER")
        orders = arrive(snapshot.read(request("orders", wanted)), wanted)[1]
        again = arrive(snapshot.read(request("customers", ID)), ID)[1]
    assert len(before) == len(orders) == 100
    assert before == again
    assert set(orders) == set(before)
    assert ("1000",) in read(connected(shop), "customers", ID)


def test_a_server_with_another_default_isolation_gives_a_snapshot_too(shop):
    shop.execute("SET GLOBAL tx_isolation = 'READ-COMMITTED'")
    try:
        with connected(shop).snapshot() as snapshot:
            shop.execute("INSERT INTO empty VALUES (1)", database="shop")
            assert arrive(snapshot.read(request("empty", ID)), ID)[1] == []
    finally:
        shop.execute("SET GLOBAL tx_isolation = 'REPEATABLE-READ'", "DELETE FROM shop.empty")


def test_without_a_snapshot_each_read_sees_what_is_there(shop):
    with connected(shop, snapshot="none").snapshot() as snapshot:
        assert snapshot.position is None
        shop.execute("INSERT INTO empty VALUES (1)", database="shop")
        assert arrive(snapshot.read(request("empty", ID)), ID)[1] == [("1",)]
    shop.execute("DELETE FROM shop.empty")


def test_the_position_is_that_of_the_log(shop):
    """Also behind an event that is longer than what the server allows now: its log can't be read over it."""
    [(before,)] = shop.execute("SELECT @@global.max_allowed_packet")
    shop.execute("SET GLOBAL max_allowed_packet = 1 << 26")
    try:
        shop.execute(f"CREATE TABLE shop.huge AS SELECT '{'x' * (1 << 24)}' AS a", "DROP TABLE shop.huge")
    finally:
        shop.execute(f"SET GLOBAL max_allowed_packet = {before}")
    file, offset, *_ = shop.execute("SHOW MASTER STATUS")[0]
    assert shop.execute(f"SELECT BINLOG_GTID_POS('{file}', {offset})") == [(None,)]
    [(gtids,)] = shop.execute("SELECT @@gtid_binlog_pos")
    with connected(shop).snapshot() as snapshot:
        assert snapshot.position == f"{file}:{offset} (GTID {gtids})"


def test_nothing_can_be_written_even_by_root(shop):
    everything = {"user": "root", "password": Secret(shop.root_password)}
    with (
        connected(shop, **everything).snapshot() as snapshot,
        pytest.raises(pymysql.MySQLError, match="READ ONLY"),
    ):
        snapshot._connection.cursor().execute("INSERT INTO empty VALUES (1)")


# ------------------------------------------------------------------------------------ streaming


def test_rows_come_in_batches_that_are_bounded_in_bytes(shop):
    wanted = columns(pad="VARCHAR")
    with connected(shop).snapshot() as snapshot:
        batches = list(snapshot.read(request("big", wanted)).batches)
    assert sum(batch.num_rows for batch in batches) == 60_000
    assert max(batch.nbytes for batch in batches) < 6 << 20


def test_a_read_that_is_given_up_leaves_the_snapshot_usable(shop):
    with connected(shop).snapshot() as snapshot:
        unfinished = snapshot.read(request("big", columns(pad="VARCHAR"))).batches
        next(iter(unfinished))
        assert len(arrive(snapshot.read(request("big", ID)), ID)[1]) == 60_000


def test_an_interrupt_ends_a_read_at_once(shop):
    source = connected(shop)
    started = threading.Event()
    failure: list[BaseException] = []

    def endless() -> None:
        try:
            with source.snapshot() as snapshot:
                batches = snapshot.read(request("big", ID, watermark="id", since="0")).batches
                started.set()
                for _ in batches:
                    stop.wait(30)
        except OsirisError as error:
            failure.append(error)

    stop = threading.Event()
    reader = threading.Thread(target=endless)
    reader.start()
    started.wait(30)
    source.interrupt()
    stop.set()
    reader.join(30)
    assert [type(error) for error in failure] == [CancelledError]
    with pytest.raises(CancelledError):
        source.probe()
    assert not [row for row in shop.execute("SHOW PROCESSLIST") if row[1] == "reader"]


def test_rows_at_or_after_the_watermark(shop):
    shop.execute(
        "CREATE OR REPLACE TABLE events"
        " (id BIGINT UNSIGNED, at TIMESTAMP(6) NULL, d DATE, w VARCHAR(9), x BLOB)",
        "INSERT INTO events VALUES (18446744073709551615, '2024-01-02 00:00:00.5', '2024-01-02', 'b', 'b'),"
        " (18446744073709551614, '2024-01-02', '2024-01-01', 'B', 'B'), (1, NULL, NULL, NULL, NULL)",
        database="shop",
    )
    wanted = columns(id="UBIGINT")

    def newer(column: str, since: str) -> list[int]:
        rows = read(connected(shop), "events", wanted, watermark=column, since=since)
        return sorted(int(row[0] or 0) - 18446744073709551610 for row in rows)

    assert newer("id", "18446744073709551615") == [5]
    assert newer("at", "2024-01-02 00:00:00+00") == [4, 5]
    assert newer("at", "2024-01-02 02:00:00.25+02") == [5]
    assert newer("d", "2024-01-02") == [5]
    assert newer("w", "a") == [5]
    assert newer("w", "B") == [4, 5]
    with pytest.raises(StepError, match="can't be compared with the watermark"):
        newer("x", "B")
    with pytest.raises(StepError, match="can't be compared with the watermark"):
        newer("id", "1 OR 1=1")


# ------------------------------------------------------------------------------------ names


NAMES = ["select", "a`b", "a.b", "a b", "a'b\"c", "ž€", "100%s", "{lines}", "a\\b"]


@pytest.mark.parametrize("name", NAMES)
def test_tables_and_columns_with_any_name(shop, name):
    quoted = "`" + name.replace("`", "``") + "`"
    connection = shop.connect("shop")
    try:
        connection.cursor().execute(f"CREATE OR REPLACE TABLE {quoted} ({quoted} INT)")
        connection.cursor().execute(f"INSERT INTO {quoted} VALUES (1)")
    finally:
        connection.close()
    [table] = connected(shop).discover([name])
    assert table.schema.names == (name,)
    assert read(connected(shop), name, table.schema.columns) == [("1",)]


def test_columns_come_in_the_order_asked_for_whatever_their_case(shop):
    wanted = columns(NAME="VARCHAR", Id="BIGINT")
    assert ("c5", "5") in read(connected(shop), "customers", wanted)


# ------------------------------------------------------------------------------------ discovery


def test_discovery_finds_types_keys_comments_and_views(shop):
    found = {table.identifier: table for table in connected(shop).discover(None)}
    customers = found["customers"]
    assert (customers.comment, customers.schema.key) == ("people", ("id",))
    assert [(c.name, c.type, c.nullable, c.description) for c in customers.schema.columns] == [
        ("id", "INTEGER", False, ""),
        ("name", "VARCHAR", False, "who's who"),
    ]
    assert found["orders"].schema.key == ("no", "customer_id")
    assert found["named"].schema.names == ("name",)
    assert found["named"].comment == ""
    assert found["empty"].rows == 0
    assert (found["big"].rows or 0) > 1000


def test_discovery_leaves_out_what_is_not_there(shop):
    assert [t.identifier for t in connected(shop).discover(["orders", "nope"])] == ["orders"]
    assert connected(shop).discover([]) == []


def test_discovery_asks_as_often_for_many_tables_as_for_one(shop):
    shop.create_database("many")
    shop.execute(*(f"CREATE TABLE t{n} (a INT PRIMARY KEY, b TEXT)" for n in range(150)), database="many")
    shop.execute("GRANT SELECT ON many.* TO reader@'%'")

    def questions(identifiers):
        shop.execute("FLUSH STATUS")
        before = int(shop.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])
        found = connected(shop, database="many").discover(identifiers)
        return int(shop.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1]) - before, len(found)

    (one, _), (many, count) = questions(["t1"]), questions(None)
    assert (one, count) == (many, 150)


def test_probe_says_who_answers_and_what_no_snapshot_holds(shop):
    shop.execute("CREATE OR REPLACE TABLE loose (id INT) ENGINE=MyISAM", database="shop")
    probed = connected(shop).probe()
    assert "MariaDB" in probed.server
    assert probed.facts == {"user": "reader@%", "tls": "off", "database": "shop"}
    assert [(w.rule, "loose" in w.message) for w in probed.warnings] == [("outside-snapshot", True)]


def test_the_endpoint_names_server_and_database_and_no_secret(shop):
    [(uid,)] = shop.execute("SELECT @@server_uid")
    assert connected(shop).endpoint() == f"mysql://127.0.0.1:{shop.port}/shop#{uid}"


def test_no_cheap_token_tells_of_a_change(shop):
    [observed] = connected(shop).probe_change({"source:shop.orders": "orders"})
    assert observed.change is None


# ------------------------------------------------------------------------------------ errors


def caught(kind: type[OsirisError], call) -> list[str]:
    with pytest.raises(kind) as error:
        call()
    told = "\n".join(f"{d.rule} {d.message} {d.why} {d.fix}" for d in error.value.diagnostics)
    assert PASSWORD not in told
    return told.split("\n")


UNREACHABLE = [
    ({"password": Secret("wrong-password")}, "access-denied", "error 1045"),
    ({"password": None}, "access-denied", "error 1045"),
    ({"database": "nope"}, "access-denied", "error 1044"),
    ({"user": "root", "password": None}, "access-denied", "using password: NO"),
    ({"host": "no-such-host.invalid"}, "server-down", "error 2003"),
    ({"ssl": "required"}, "tls-failed", "SSL"),
    ({"ssl": "verify"}, "tls-failed", "SSL"),
]


@pytest.mark.parametrize(("other", "rule", "why"), UNREACHABLE)
def test_a_server_that_refuses_says_why(shop, other, rule, why):
    [told] = caught(UnreachableError, connected(shop, **other).probe)
    assert told.startswith(rule)
    assert why in told
    assert "wrong-password" not in told


def test_a_database_that_is_not_there(shop):
    other = {"user": "root", "password": Secret(shop.root_password), "database": "nope"}
    [told] = caught(UnreachableError, connected(shop, **other).probe)
    assert told.startswith("unknown-database")


def test_a_server_that_is_down(shop):
    port = free_port()
    [told] = caught(UnreachableError, connected(shop, port=port).probe)
    assert told.startswith(f"server-down can't connect to the MySQL server 127.0.0.1:{port}")


def test_missing_tables_and_columns_come_with_the_nearest_name(shop):
    source = connected(shop)
    [told] = caught(StepError, lambda: read(source, "costumers", ID))
    assert told.startswith("unknown-table")
    assert "near: customers" in told
    told, second = caught(StepError, lambda: read(source, "customers", columns(nam="VARCHAR", zzz="VARCHAR")))
    assert told.startswith('unknown-column table customers has no column "nam"')
    assert 'did you mean "name"?' in told
    assert '"zzz"' in second


def test_a_table_that_the_user_may_not_read(shop):
    shop.create_user("narrow", PASSWORD, "SELECT (id) ON shop.customers")
    source = connected(shop, user="narrow")
    assert len(read(source, "customers", ID)) >= 100
    assert caught(StepError, lambda: read(source, "orders", ID))[0].startswith("unknown-table")
    assert caught(StepError, lambda: read(source, "customers", columns(name="VARCHAR")))[0].startswith(
        "unknown-column"
    )


def test_a_view_that_is_broken(shop):
    shop.execute(
        "CREATE OR REPLACE TABLE under (a INT)",
        "CREATE OR REPLACE VIEW broken AS SELECT a FROM under",
        "DROP TABLE under",
        database="shop",
    )
    told = caught(StepError, lambda: read(connected(shop), "broken", columns(a="INTEGER")))
    assert "broken" in told[0]


def test_a_row_longer_than_a_packet(shop):
    """A packet of the protocol holds 16 MB, and a row may fill some exactly; what the server allows when it
    is read is no limit of rows."""
    [(before,)] = shop.execute("SELECT @@global.max_allowed_packet")
    shop.execute("SET GLOBAL max_allowed_packet = 1 << 26")
    # A row that fills a packet exactly: three bytes of length before the value and four bytes of the number.
    sizes = [1, 5_000_000, 20_000_000, 2**24 - 1 - 4 - 2, 2**24 - 1 - 4 - 3, 2**25 - 2 - 5 - 2, 3]
    try:
        shop.execute("CREATE OR REPLACE TABLE wide (id INT, a LONGBLOB)", database="shop")
        for number, size in enumerate(sizes):
            shop.execute(f"INSERT INTO wide VALUES ({number}, REPEAT('x', {size}))", database="shop")
        shop.execute("SET GLOBAL max_allowed_packet = 1024")
        read_whole = read(connected(shop), "wide", columns(id="INTEGER", a="BLOB"))
    finally:
        shop.execute(f"SET GLOBAL max_allowed_packet = {before}", "DROP TABLE shop.wide")
    assert [len(text or "") for _, text in read_whole] == sizes


def test_a_statement_that_takes_too_long(shop):
    shop.execute("CREATE OR REPLACE VIEW slow AS SELECT SLEEP(0.05) AS id FROM customers", database="shop")
    [told] = caught(StepError, lambda: read(connected(shop, statement_timeout=1), "slow", ID))
    assert told.startswith("timeout")
    assert "statement_timeout (now 1 seconds" in told


def test_a_server_that_falls_silent(shop):
    shop.execute("CREATE OR REPLACE VIEW silent AS SELECT SLEEP(5) AS id", database="shop")
    [told] = caught(UnreachableError, lambda: read(connected(shop, read_timeout=1), "silent", ID))
    assert told.startswith("connection-lost")
    assert "read_timeout" in told


def test_a_connection_that_is_killed_while_it_reads(shop):
    with connected(shop).snapshot() as snapshot:
        batches = iter(snapshot.read(request("big", columns(pad="VARCHAR"))).batches)
        next(batches)
        for row in shop.execute("SHOW PROCESSLIST"):
            if row[1] == "reader":
                shop.execute(f"KILL {row[0]}")
        told = caught(OsirisError, lambda: list(batches))
    assert told[0].startswith(("connection-lost", "source-failed"))


def test_an_option_that_there_is_not(shop):
    assert len(caught(ProjectError, lambda: connected(shop, ssl="maybe", snapshot="loose"))) == 2
