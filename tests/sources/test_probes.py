"""Whether a table is read again: when its declared probe comes to something else, or always."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest
from run.projects import build, ended, plan_folder, write_files
from servers.mariadb import MariaDb
from servers.postgres import PostgresServer
from sources.mysql_shop import MysqlShop, step_of

from osiris_sql import api
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.diagnostic import OsirisError, StepError
from osiris_sql.types.secret import Secret

EXTRACT = "extract.shop.orders"
TOTAL = {"totals": "SELECT sum(amount) AS amount FROM shop.orders"}


def table(probe: str) -> str:
    return f"      - name: orders\n        extract:\n          probe: {probe}\n"


@pytest.fixture
def shop(mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MysqlShop:
    made = MysqlShop(mariadb, tmp_path, "probing", monkeypatch)
    made.sql(
        "CREATE TABLE orders (id INT PRIMARY KEY, amount INT NOT NULL, note VARCHAR(20), at DATETIME(6))",
        "INSERT INTO orders SELECT seq, seq, CONCAT('n', seq), '2026-01-01' + INTERVAL seq DAY"
        " FROM seq_1_to_10",
    )
    return made


@pytest.mark.servers
def test_a_table_is_read_again_when_its_probe_changed(shop):
    shop.write(table("count(*), max(at)"), TOTAL)
    assert step_of(shop.build(), EXTRACT).status == "success"
    assert step_of(shop.build(), EXTRACT).status == "reused"
    shop.sql("UPDATE orders SET amount = 1000 WHERE id = 1")  # the probe looks at neither
    assert step_of(shop.build(), EXTRACT).status == "reused"
    shop.sql("UPDATE orders SET at = '2030-01-01 00:00:00.000001' WHERE id = 1")
    assert step_of(shop.build(), EXTRACT).status == "success"
    assert shop.rows("main.totals") == [(1054,)]
    assert shop.extract().why == "probe: count(*), max(at) did not change"


@pytest.mark.servers
def test_another_probe_reads_again(shop):
    shop.write(table("count(*)"), TOTAL)
    shop.build()
    shop.write(table("max(id)"), TOTAL)
    assert step_of(shop.build(), EXTRACT).status == "success"


@pytest.mark.servers
def test_every_probe_that_fails_is_named_in_its_place(shop):
    shop.sql("CREATE TABLE more (id INT PRIMARY KEY)")
    shop.write(table("max(gone)") + table("id").replace("orders", "more"), TOTAL)
    with pytest.raises(OsirisError) as raised:
        plan_folder(shop.root)
    found = [(d.rule, str(d.location).partition(":")[0]) for d in raised.value.diagnostics]
    assert found == [("source-failed", "sources.yml"), ("probe-of-many-rows", "sources.yml")]
    assert "gone" in raised.value.diagnostics[0].why


FILES = {
    "osiris-sql.toml": 'name = "shop"\n',
    "sources.yml": """
version: 2
connections: { files: { type: files, path: data } }
sources:
  - name: shop
    connection: files
    tables:
      - name: orders
        extract: { probe: PROBE }
        columns: [{ name: amount, data_type: INTEGER }]
""",
    "data/orders.csv": "amount\n1\n",
    "models/totals.sql": TOTAL["totals"],
}


def with_probe(root: Path, probe: str) -> Path:
    write_files(root, FILES | {"sources.yml": FILES["sources.yml"].replace("PROBE", probe)})
    return root


def test_always_reads_in_every_build_what_could_tell_that_it_did_not_change(tmp_path):
    root = with_probe(tmp_path, "always")
    for _ in range(2):
        steps = ended(build(root))
        assert steps[EXTRACT] == "success"
    assert set(steps.values()) == {"success", "reused"}
    assert plan_folder(root).steps[0].why == "read in every build: probe: always"


def test_a_file_answers_no_sql(tmp_path):
    with pytest.raises(OsirisError) as raised:
        plan_folder(with_probe(tmp_path, "count(*)"))
    assert [d.rule for d in raised.value.diagnostics] == ["no-sql-probe"]


@pytest.mark.servers
def test_postgres_answers_one_by_one(postgres: PostgresServer, tmp_path):
    dsn = postgres.create_database("probing")
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute('CREATE TABLE "My ""orders" (id INT); INSERT INTO "My ""orders" VALUES (1), (2)')
    connection.close()
    plugin = load_plugin("sources", "postgres")
    source = plugin(plugin.Options(dsn=Secret(dsn)), tmp_path)
    tables = {
        "a": ('My "orders', "max(gone)"),
        "b": ('My "orders', "count(*), NULL"),
        "c": ('My "orders', "id"),
    }
    answers = source.ask(tables)
    assert answers["b"] == (2, None)
    assert [type(answers[name]) for name in "ac"] == [StepError, StepError]


def test_the_probe_is_part_of_the_project(tmp_path):
    [table] = [
        s.table for s in api.compile_project(api.load_project(with_probe(tmp_path, "count(*)"))).sources
    ]
    assert table.extract.probe == "count(*)"
