"""What an extract reads: forced columns, a condition, a bound on rows; what drifted; what was deleted."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from run.projects import plan_folder
from servers.mariadb import MariaDb
from sources.mysql_shop import MysqlShop, said, step_of

from osiris_sql import api
from osiris_sql.cli.plan_table import plan_table
from osiris_sql.cli.planning import plan_show

pytestmark = pytest.mark.servers
EXTRACT = "extract.shop.orders"
TOTAL = {"totals": "SELECT sum(amount) AS amount FROM shop.orders"}


@pytest.fixture
def shop(mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MysqlShop:
    made = MysqlShop(mariadb, tmp_path, "reading", monkeypatch)
    made.sql(
        "CREATE TABLE orders (id INT PRIMARY KEY, amount INT NOT NULL, note VARCHAR(20), at DATETIME)",
        "INSERT INTO orders SELECT seq, seq, CONCAT('n', seq), '2026-01-01' + INTERVAL seq DAY"
        " FROM seq_1_to_10",
    )
    return made


def table(**extract: object) -> str:
    """The YAML of the table with these entries under `extract:`."""
    lines = "".join(f"          {key}: {value}\n" for key, value in extract.items())
    return f"      - name: orders\n        extract:\n{lines}"


def shown(shop: MysqlShop) -> str:
    """What `osiris-sql plan` shows of the extract, in one line."""
    from rich.console import Console

    console = Console(width=1000, record=True, file=io.StringIO())
    console.print(plan_table(plan_folder(shop.root)))
    return " ".join(console.export_text().split())


# ------------------------------------------------------------------------------- columns and where


def test_columns_are_all_that_is_read_used_or_not(shop):
    shop.write(table(columns="[id, amount]"), {"seen": "SELECT amount FROM shop.orders"})
    assert list(shop.schema("source:shop.orders")) == ["id", "amount"]
    shop.build()
    assert shop.rows("shop.orders")[0] == (1, 1)


def test_a_column_that_is_not_read_is_unknown_to_models(shop):
    shop.write(table(columns="[id, amount]"), {"seen": "SELECT note FROM shop.orders"})
    found = api.compile_project(api.load_project(shop.root)).diagnostics
    assert [d.rule for d in found if d.severity == "error"] == ["unknown-column"]


def test_a_column_that_there_is_not_can_not_be_forced(shop):
    shop.write("      - name: orders", {})
    shop.write(table(columns="[id, amout]"), {})
    [told] = api.load_project(shop.root).diagnostics
    assert (told.rule, told.fix) == ("unknown-column", 'did you mean "amount"?')


WHERE = "\"note <> 'n3' AND amount <= 5 -- a comment, and 100%\""


def test_where_is_asked_of_the_server_in_its_own_words(shop):
    shop.write(table(where=WHERE), TOTAL)
    assert shop.build().status == "success"
    assert shop.rows("main.totals") == [(1 + 2 + 4 + 5,)]


def test_show_says_that_rows_were_left_out(shop):
    shop.write(table(where=WHERE), {"few": "SELECT sum(amount) AS amount FROM shop.orders WHERE id < 4"})
    shop.build()
    plan = plan_show(api.load_project(shop.root), "shop.orders", 9, None, None)
    result = api.run_plan(plan, shop.root, dict(os.environ), ())
    [told] = result.steps[0].diagnostics
    assert told.message == (
        "shop.orders is shown without rows that nobody needed when it was read and rows other than `where: "
        + WHERE.strip('"')
        + "`"
    )
    assert [row[0] for row in result.steps[0].facts["rows"]] == ["1", "2"]


def test_a_condition_that_changed_reads_an_increment_anew(shop):
    grown = {"mode": "incremental", "watermark": "at", "key": "[id]"}
    shop.write(table(**grown, where="amount < 5"), TOTAL)
    shop.build()
    shop.write(table(**grown, where="amount < 9"), TOTAL)
    result = shop.build()
    assert shop.card(result)[EXTRACT]["incremental"] is False
    assert shop.rows("main.totals") == [(36,)]


def test_a_condition_that_the_server_can_not_read_fails_and_the_rows_stay(shop):
    shop.write(table(where="amount < 5"), TOTAL)
    shop.build()
    shop.write(table(where="amonut < 5"), TOTAL)
    assert "amonut" in said(shop.build(), EXTRACT)[0]
    assert len(shop.rows("shop.orders")) == 4


def test_the_plan_shows_the_query(shop):
    shop.write(table(columns="[id, amount]", where="amount < 5", max_rows=9), TOTAL)
    assert "at most 9 rows SELECT id, amount FROM orders WHERE (amount < 5)" in shown(shop)


def test_the_plan_shows_the_query_of_an_increment_and_what_becomes_of_values(shop):
    policy = "        columns: [{name: at, on_invalid: 'null'}]\n"
    grown = table(mode="incremental", watermark="at", key="[id]", lookback="1h", deletes="scan")
    shop.write(grown + policy, TOTAL)
    assert "then all keys for deleted rows" in shown(shop)
    assert "SELECT id, amount, at FROM orders WHERE at >= <the last one less 3600 seconds" in shown(shop)
    assert "at: what is no TIMESTAMP becomes NULL" in shown(shop)


# ------------------------------------------------------------------------------- max_rows


def test_more_rows_than_allowed_are_an_error_and_the_last_ones_stay(shop):
    shop.write(table(max_rows=10), TOTAL)
    assert shop.build().status == "success"
    shop.sql("INSERT INTO orders VALUES (11, 11, '', NULL)")
    [told] = said(shop.build(), EXTRACT)
    assert told.startswith("too-many-rows: shop.orders has more than 10 rows to read")
    assert len(shop.rows("shop.orders")) == 10


def test_of_an_increment_the_new_rows_count(shop):
    shop.write(table(mode="incremental", watermark="at", key="[id]", max_rows=10), TOTAL)
    shop.build()
    shop.sql("INSERT INTO orders VALUES (11, 11, '', '2027-01-01')")
    assert shop.build().status == "success"
    assert len(shop.rows("shop.orders")) == 11


# ------------------------------------------------------------------------------- drift


def test_a_lost_column_that_is_read_stops_the_extract_and_names_its_readers(shop):
    shop.write("      - name: orders", TOTAL)
    shop.build()
    shop.sql("ALTER TABLE orders DROP COLUMN amount")
    result = shop.build()
    [told] = said(result, EXTRACT)
    assert told.startswith("source-drifted: shop.orders has lost columns that are read: amount")
    assert "amount is gone (read by totals)" in told
    assert "osiris-sql discover shop" in told
    assert len(shop.rows("shop.orders")) == 10


def test_what_does_not_stop_it_is_a_warning_with_the_diff(shop):
    shop.write("      - name: orders", TOTAL)
    shop.sql(
        "ALTER TABLE orders MODIFY amount BIGINT NOT NULL, DROP COLUMN note, ADD COLUMN city TEXT,"
        " DROP PRIMARY KEY"
    )
    result = shop.build()
    assert result.status == "success"
    [told] = said(result, EXTRACT)
    assert told.startswith("source-drifted: shop.orders is not as sources.lock records it")
    changes = ["amount was INTEGER and is BIGINT (read by totals)", "note is gone", "city VARCHAR is new"]
    assert "; ".join([*changes, "the key was (id) and is ()"]) in told
    assert step_of(result, EXTRACT).diagnostics[0].severity == "warning"
    shop.discover()
    assert said(shop.build(), EXTRACT) == []


def test_all_tables_of_a_source_are_compared_in_one_look(shop):
    names = [f"t{n}" for n in range(20)]
    shop.sql(*(f"CREATE TABLE {name} (id INT)" for name in names))
    models = {f"m{name}": f"SELECT id FROM shop.{name}" for name in names}
    shop.write("".join(f"      - name: {name}\n" for name in names), models)
    shop.build()
    before = int(shop.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])
    shop.build()
    # One each to observe, to identify, to discover, to read; and a few of our own.
    assert int(shop.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1]) - before < 8 + len(names)


@pytest.mark.parametrize(("gone", "told"), [("TRUE", "no rows"), ("id > 4", "4 rows"), ("id > 6", None)])
def test_a_table_that_suddenly_shrank_is_a_warning(shop, gone, told):
    shop.write("      - name: orders", TOTAL)
    shop.build()
    shop.sql(f"DELETE FROM orders WHERE {gone}")
    result = shop.build()
    assert result.status == "success"
    warned = f"rows-vanished: shop.orders has {told}, where it had 10 at the last run"
    assert [text.split(" | ")[0] for text in said(result, EXTRACT)] == ([warned] if told else [])


def test_that_it_shrank_is_known_before_it_is_read(shop):
    """Reading fails here, and the news is told all the same."""
    shop.write("      - name: orders", TOTAL)
    shop.build()
    shop.sql(
        "DELETE FROM orders WHERE id > 2",
        "ALTER TABLE orders MODIFY amount VARCHAR(9)",
        "UPDATE orders SET amount = 'much'",
        "ANALYZE TABLE orders",
    )
    rules = {told.partition(":")[0] for told in said(shop.build(), EXTRACT)}
    assert rules == {"invalid-value", "source-drifted", "rows-vanished"}


def test_an_estimate_that_is_wrong_alarms_nobody(shop):
    shop.write("      - name: orders", TOTAL)
    shop.build()
    stale = "UPDATE mysql.innodb_table_stats SET n_rows = 1 WHERE database_name = 'reading'"
    # The server reads its estimates anew of a table that was renamed.
    shop.sql("ANALYZE TABLE orders", stale, "RENAME TABLE orders TO o", "RENAME TABLE o TO orders")
    [(estimate,)] = shop.sql(
        "SELECT table_rows FROM information_schema.tables WHERE table_schema = 'reading'"
    )
    assert (estimate, said(shop.build(), EXTRACT)) == (1, [])


# ------------------------------------------------------------------------------- deleted and late rows


GROWN = {"mode": "incremental", "watermark": "at", "key": "[id]"}


def test_rows_deleted_at_the_source_stay_unless_keys_are_scanned(shop):
    shop.write(table(**GROWN), TOTAL)
    shop.build()
    shop.sql("DELETE FROM orders WHERE id IN (1, 2, 10)")
    shop.build()
    assert len(shop.rows("shop.orders")) == 10
    shop.write(table(**GROWN, deletes="scan"), TOTAL)
    result = shop.build()
    assert [row[1] for row in shop.rows("shop.orders")] == [*range(3, 10)]
    assert shop.card(result)[EXTRACT]["deleted"] == 3
    assert shop.card(shop.build())[EXTRACT]["deleted"] == 0


def test_a_scan_sees_the_condition_too(shop):
    shop.write(table(**GROWN, deletes="scan", where="note <> 'n5'"), TOTAL)
    shop.build()
    shop.sql("UPDATE orders SET note = 'n5' WHERE id = 7")
    shop.build()
    assert 7 not in [row[1] for row in shop.rows("shop.orders")]


def test_rows_with_the_watermark_of_the_last_one_are_read_again(shop):
    shop.write(table(**GROWN), TOTAL)
    shop.build()
    shop.sql("INSERT INTO orders SELECT 11, 11, 'equal', max(at) FROM orders")
    shop.build()
    assert len(shop.rows("shop.orders")) == 11


@pytest.mark.parametrize(("lookback", "arrives"), [("1d", True), ("1h", False)])
def test_a_late_row_arrives_within_the_lookback(shop, lookback, arrives):
    shop.write(table(**GROWN, lookback=lookback), TOTAL)
    shop.build()
    shop.sql("INSERT INTO orders SELECT 11, 11, 'late', max(at) - INTERVAL 20 HOUR FROM orders")
    shop.build()
    assert (11 in [row[1] for row in shop.rows("shop.orders")]) is arrives


def test_the_clock_of_the_source_alone_counts(shop):
    """A watermark is a value of the source, so a row from a clock that is ahead hides no row behind it for
    longer than that: rows between are late, and the lookback or a full refresh brings them."""
    shop.sql("INSERT INTO orders VALUES (11, 11, 'ahead', '2099-01-01')")
    shop.write(table(**GROWN), TOTAL)
    shop.build()
    shop.sql("INSERT INTO orders VALUES (12, 12, 'now', '2026-06-01')")
    shop.build()
    assert len(shop.rows("shop.orders")) == 11
    shop.build(full_refresh=True)
    assert len(shop.rows("shop.orders")) == 12


def test_scanning_for_deleted_rows_wants_an_increment(shop):
    shop.write("      - name: orders", {})
    shop.write(table(deletes="scan"), {})
    assert [(d.rule, d.fix) for d in api.load_project(shop.root).diagnostics] == [
        ("unused-key", "mode: incremental")
    ]
