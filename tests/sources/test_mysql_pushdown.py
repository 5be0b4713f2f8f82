"""Filters that MySQL is asked to apply: the rows are those that DuckDB would keep, and none is missed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run.projects import plan_folder
from servers.mariadb import MariaDb
from sources.arrivals import arrive, columns, request
from sources.mysql_shop import MysqlShop

from osiris_sql.cli.plan_table import plan_table
from osiris_sql.compile.filters import read_filters
from osiris_sql.protocols import Snapshot
from osiris_sql.sources.mysql import PLUGIN
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.relation import Column, Comparison, TableSchema
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers

# ------------------------------------------------------------------------------- one table, any filter

TEXTS = [
    "a",
    "A",
    "a ",
    " a",
    "",
    "ä",
    "é",
    "e\u0301",
    "ss",
    "ß",
    "it's",
    "a\\b",
    "a\nb",
    "a\0b",
    "🙂",
    "12",
    "%",
]
SERVER_TYPES = {
    "id": "INT PRIMARY KEY",
    "tiny": "TINYINT(1)",
    "big": "BIGINT UNSIGNED",
    "price": "DECIMAL(20,2)",
    "small": "SMALLINT(5) ZEROFILL",
    "since": "YEAR",
    "bits": "BIT(8)",
    "note": "VARCHAR(20) COLLATE utf8mb4_general_ci",
    "code": "CHAR(5) CHARACTER SET latin1",
    "wide": "VARCHAR(20) CHARACTER SET utf16",
    "mood": "ENUM('a', 'B', 'it''s')",
    "tags": "SET('a', 'b')",
    "day": "DATE",
    "made": "DATETIME(3)",
    "seen": "TIMESTAMP(6) NULL",
}
TYPES = {
    "id": "INTEGER",
    "tiny": "TINYINT",
    "big": "UBIGINT",
    "price": "DECIMAL(20,2)",
    "small": "USMALLINT",
    "since": "SMALLINT",
    "bits": "UBIGINT",
    **dict.fromkeys(("note", "code", "wide", "mood", "tags"), "VARCHAR"),
    "day": "DATE",
    "made": "TIMESTAMP",
    "seen": "TIMESTAMP WITH TIME ZONE",
}
NUMBERS = {
    "id": ["0", "7", "200"],
    "tiny": ["-128", "0", "1", "2", "127"],
    "big": ["0", "9007199254740993", "9223372036854775807", "999999999999999999"],
    "price": ["0", "0.10", "-0.10", "12345678901234567.89", "900719925474099.30"],
    "small": ["0", "7", "65535"],
    "since": ["0", "1", "70", "99", "1901", "2001", "2070", "2155"],
    "bits": ["0", "48", "49", "255"],
}
DAYS = ["1000-01-01", "1999-12-31", "2024-02-29", "2026-01-01", "9999-12-31"]
INSTANTS = ["1971-01-01 00:00:00", "2024-03-31 01:30:00", "2026-01-01 00:00:00", "2037-12-31 23:59:59"]
COLUMNS = columns(**TYPES)
SCHEMA = TableSchema(columns=COLUMNS)


def value(column: str, place: int) -> str:
    """A value of a column for a row, in the server's SQL; some are NULL."""
    if (place + len(column)) % 9 == 0:
        return "NULL"
    many: list[str] = {
        "note": TEXTS,
        "wide": TEXTS,
        "code": ["a", "A", "", "é", "it's", "12"],
        "mood": ["a", "B", "it's"],
        "tags": ["", "a", "a,b"],
        "day": DAYS,
        "made": [*INSTANTS, "2026-01-01 00:00:00.999"],
        "seen": [*INSTANTS, "2026-01-01 00:00:00.000001"],
    }.get(column) or NUMBERS[column]
    chosen = many[(place * 7 + len(column)) % len(many)]
    if column in NUMBERS:
        return chosen
    return "'" + chosen.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0") + "'"


@pytest.fixture(scope="module")
def table(mariadb: MariaDb) -> Iterator[tuple[Snapshot, duckdb.DuckDBPyConnection]]:
    """The table as of one instant, and all of its rows in DuckDB."""
    database = mariadb.create_database("pushed")
    rows = (
        f"({place}, " + ", ".join(value(name, place) for name in list(TYPES)[1:]) + ")"
        for place in range(400)
    )
    defined = ", ".join(f"{name} {type_}" for name, type_ in SERVER_TYPES.items())
    mariadb.execute(
        "SET time_zone = '+00:00'",
        f"CREATE TABLE t ({defined})",
        f"INSERT INTO t VALUES {', '.join(rows)}",
        database=database,
    )
    given = {"host": mariadb.host, "port": mariadb.port, "database": database, "user": "root"}
    source = PLUGIN(PLUGIN.Options(**given, password=Secret(mariadb.root_password)), Path())
    with source.snapshot() as snapshot, duckdb.connect() as held:
        texts = arrive(snapshot.read(request("t", COLUMNS)), COLUMNS)[1]
        held.execute("SET TimeZone = 'UTC'")
        held.execute(f"CREATE TABLE t ({', '.join(f'{n} {t}' for n, t in TYPES.items())})")
        held.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(TYPES))})", texts)
        yield snapshot, held


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def literals(column: str) -> st.SearchStrategy[str]:
    if column in NUMBERS:
        near = [str(int(number) + 1) for number in NUMBERS[column] if number.isdigit()]
        return st.sampled_from(
            [n for n in NUMBERS[column] + near if len(n.strip("-").partition(".")[0]) < 19]
        )
    if TYPES[column] == "VARCHAR":
        return (st.sampled_from([*TEXTS, "B", "a,b"]) | st.text("aAäé ' \\\"\n", max_size=4)).map(quoted)
    if column == "day":
        return st.sampled_from(DAYS).map(lambda day: f"DATE '{day}'")
    return st.sampled_from(INSTANTS if column == "seen" else [*INSTANTS, *DAYS]).map(quoted)


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    column = draw(st.sampled_from(list(TYPES)))
    one = literals(column)
    operator = draw(
        st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IN", "BETWEEN", "IS NULL", "IS NOT NULL"])
    )
    if operator == "IN":
        return f"{column} IN ({', '.join(draw(st.lists(one, min_size=1, max_size=4)))})"
    if operator == "BETWEEN":
        return f"{column} BETWEEN {draw(one)} AND {draw(one)}"
    return f"{column} {operator}" + ("" if operator.startswith("IS") else f" {draw(one)}")


WHERES = st.lists(comparisons(), min_size=1, max_size=3).map(" AND ".join)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wheres=st.lists(WHERES, min_size=1, max_size=3))
def test_the_server_keeps_the_rows_that_duckdb_keeps(table, wheres):
    snapshot, held = table
    union = " UNION ALL ".join(f"SELECT id FROM s.t WHERE {where}" for where in wheres)
    tree = sqlglot.parse_one(union, dialect="duckdb")
    filters = read_filters(tree.walk(), {("s", "t"): ("source:s.t", SCHEMA)})["source:s.t"]
    read = arrive(snapshot.read(request("t", COLUMNS, filters=filters)), COLUMNS)[1]
    where = " OR ".join(f"({where})" for where in wheres)
    kept = held.execute(f"SELECT id FROM t WHERE {where} ORDER BY id").fetchall()
    assert sorted(int(str(row[0])) for row in read) == [id_ for (id_,) in kept]


def test_what_the_server_tells_in_another_way_it_is_not_asked(mariadb):
    """Since the plan was made the column has become another: all rows are read, and the run says so."""
    database = mariadb.create_database("turned")
    mariadb.execute("CREATE TABLE t (id VARCHAR(9))", "INSERT INTO t VALUES ('7'), ('07')", database=database)
    given = {"host": mariadb.host, "port": mariadb.port, "database": database, "user": "root"}
    source = PLUGIN(PLUGIN.Options(**given, password=Secret(mariadb.root_password)), Path())
    tree = sqlglot.parse_one("SELECT id FROM s.t WHERE id = 7", dialect="duckdb")
    schema = TableSchema(columns=(Column(name="id", type="INTEGER"),))
    filters = read_filters(tree.walk(), {("s", "t"): ("source:s.t", schema)})["source:s.t"]
    with source.snapshot() as snapshot:
        rows = snapshot.read(request("t", columns(id="VARCHAR"), filters=filters))
        assert sorted(arrive(rows, columns(id="VARCHAR"))[1]) == [("07",), ("7",)]
        assert rows.observed["filter"] == "not asked of the server: it tells these values in another way"


def test_a_text_longer_than_a_packet_may_be_is_told_too(mariadb):
    database = mariadb.create_database("long_texts")
    [(before,)] = mariadb.execute("SELECT @@global.max_allowed_packet")
    mariadb.execute(
        "CREATE TABLE t (id INT, note LONGTEXT)",
        "INSERT INTO t VALUES (1, REPEAT('ä', 9000)), (2, 'b')",
        "SET GLOBAL max_allowed_packet = 1024",
        database=database,
    )
    given = {"host": mariadb.host, "port": mariadb.port, "database": database, "user": "root"}
    filters = ((Comparison(column="note", operator="<>", values=("b",), kind="text"),),)
    try:
        source = PLUGIN(PLUGIN.Options(**given, password=Secret(mariadb.root_password)), Path())
        with source.snapshot() as snapshot:
            wanted = columns(id="INTEGER")
            assert arrive(snapshot.read(request("t", wanted, filters=filters)), wanted)[1] == [("1",)]
    finally:
        mariadb.execute(f"SET GLOBAL max_allowed_packet = {before}")


# ------------------------------------------------------------------------------- a project

ORDERS = "      - name: orders\n"
GROWN = ORDERS + "        extract: { mode: incremental, watermark: made, key: [id] }\n"
FEW = {"few": "SELECT id, amount FROM shop.orders WHERE id > 6 AND note = 'b'"}


@pytest.fixture
def shop(mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MysqlShop:
    made = MysqlShop(mariadb, tmp_path, "filtering", monkeypatch)
    made.sql(
        "CREATE TABLE orders (id INT PRIMARY KEY, amount INT NOT NULL, note VARCHAR(20), made DATETIME)",
        "INSERT INTO orders SELECT seq, seq, IF(seq % 2, 'B', 'b'), '2026-01-01' + INTERVAL seq DAY"
        " FROM seq_1_to_10",
    )
    return made


def shown(shop: MysqlShop) -> str:
    """What `osiris-sql plan` shows, in one line."""
    from rich.console import Console

    console = Console(width=1000, record=True, file=io.StringIO())
    console.print(plan_table(plan_folder(shop.root)))
    return " ".join(console.export_text().split())


def ids(shop: MysqlShop, relation: str) -> list[int]:
    """The ids in a relation of the warehouse."""
    names = {"shop.orders": 0, "main.few": 0, "main.all_of_them": 0}
    return sorted(row[names[relation]] for row in shop.rows(relation))


def test_rows_that_nobody_needs_stay_at_the_server_and_the_plan_shows_the_query(shop):
    shop.write(ORDERS, FEW)
    said = "SELECT id, amount, note FROM orders WHERE (id > 6 AND note = 'b')"
    assert said in shown(shop)
    assert shop.build().status == "success"
    assert ids(shop, "shop.orders") == ids(shop, "main.few") == [8, 10]


def test_another_reader_widens_it_and_all_of_its_rows_are_there(shop):
    shop.write(ORDERS, FEW)
    shop.build()
    shop.write(ORDERS, {**FEW, "all_of_them": "SELECT id FROM shop.orders WHERE amount <= 2"})
    assert "more of its rows are used" in shown(shop)
    shop.build()
    assert ids(shop, "shop.orders") == [1, 2, 8, 10]
    assert ids(shop, "main.few") == [8, 10]
    tested = ORDERS + "        columns: [{ name: id, data_tests: [not_null] }]\n"
    shop.write(tested, FEW)
    shop.build()
    assert ids(shop, "shop.orders") == [*range(1, 11)]


def test_a_model_is_not_built_of_what_was_left_out(shop):
    shop.write(ORDERS, FEW)
    shop.build()
    shop.write(ORDERS, {**FEW, "all_of_them": "SELECT id FROM shop.orders"})
    with pytest.raises(ProjectError, match=r"shop\.orders lacks rows that all_of_them reads"):
        shop.build(select=["all_of_them"])
    assert shop.build(select=["+all_of_them"]).status == "success"
    assert ids(shop, "main.all_of_them") == [*range(1, 11)]


def test_an_increment_is_filtered_by_its_key_alone_and_read_in_full_when_that_widens(shop):
    shop.write(GROWN, FEW)
    assert "FROM orders WHERE (id > 6) AND made >=" in shown(shop)
    shop.build()
    assert ids(shop, "shop.orders") == [7, 8, 9, 10]
    # A row that the model's WHERE lets go takes the place of the one that it kept.
    shop.sql(
        "UPDATE orders SET note = 'c', made = '2026-03-01' WHERE id = 8",
        "INSERT INTO orders VALUES (5000, 1, 'b', '2026-03-02'), (-1, 1, 'b', '2026-03-02')",
    )
    result = shop.build()
    assert shop.card(result)["extract.shop.orders"]["incremental"] is True
    assert ids(shop, "shop.orders") == [7, 8, 9, 10, 5000]
    assert ids(shop, "main.few") == [10, 5000]
    shop.write(GROWN, {"few": FEW["few"].replace("> 6", "> 3")})
    assert "more of its rows are used; read in full" in shown(shop)
    result = shop.build()
    assert shop.card(result)["extract.shop.orders"]["incremental"] is False
    assert ids(shop, "shop.orders") == [*range(4, 11), 5000]


def test_a_scan_for_deleted_rows_sees_the_filter_too(shop):
    scanned = GROWN.replace("[id] }", "[id], deletes: scan }")
    shop.write(scanned, FEW)
    shop.build()
    shop.sql("DELETE FROM orders WHERE id = 8")
    result = shop.build()
    assert shop.card(result)["extract.shop.orders"]["deleted"] == 1
    assert ids(shop, "shop.orders") == [7, 9, 10]


def test_zero_dates_that_nobody_needs_do_not_fail_the_extract_and_others_do(shop):
    shop.sql("SET sql_mode = ''", "INSERT INTO orders VALUES (3000, 1, 'b', '0000-00-00')")
    shop.write(ORDERS, {"few": "SELECT id, made FROM shop.orders WHERE id <= 10"})
    assert shop.build().status == "success"
    shop.write(ORDERS, {"few": "SELECT id, made FROM shop.orders WHERE id > 0"})
    assert shop.build().status != "success"
