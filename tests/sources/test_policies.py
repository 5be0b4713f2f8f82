"""Values that are none of their column's type: refused with a count and a key, or settled by a policy."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from run.projects import ended
from servers.mariadb import MariaDb
from sources.mysql_shop import MysqlShop, said, step_of

pytestmark = pytest.mark.servers
EXTRACT = "extract.shop.visits"

COLUMNS = """
      - name: visits
        columns:
          - { name: born, on_invalid: %s }
"""


@pytest.fixture
def shop(mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MysqlShop:
    made = MysqlShop(mariadb, tmp_path, "policies", monkeypatch)
    made.sql(
        "SET sql_mode = 'ALLOW_INVALID_DATES'",
        "CREATE TABLE visits (id INT PRIMARY KEY, born DATE, stay TIME, since YEAR)",
        "INSERT INTO visits VALUES (1, '2001-02-03', '10:00:00', 2001), (2, '0000-00-00', '-01:00:00', 0),"
        " (3, '2001-00-10', '838:59:59', 2155), (4, NULL, NULL, NULL), (5, '2023-02-31', '00:00:00', 1901)",
    )
    return made


ALL = {"seen": "SELECT * FROM shop.visits"}
DAY = datetime.date(2001, 2, 3)


def test_by_default_the_error_names_table_column_count_and_a_key(shop):
    shop.write("      - name: visits", ALL)
    result = shop.build()
    assert ended(result)[EXTRACT] == "failed"
    [told] = said(result, EXTRACT)
    assert (
        "invalid-value: column born of shop.visits holds 3 values that are not exactly of type DATE" in told
    )
    assert 'such as "0000-00-00" where id = 2' in told
    assert "on_invalid: null" in told


@pytest.mark.parametrize("null", ["null", "'null'", "~"])
def test_null_makes_them_null_and_counts_them_in_the_card_and_the_summary(shop, null):
    shop.write(COLUMNS % null, ALL)
    result = shop.build()
    assert [row[1] for row in shop.rows("shop.visits")] == [DAY, None, None, None, None]
    assert shop.card(result)[EXTRACT]["invalid"] == {"born": 3}
    [told] = said(result, EXTRACT)
    assert "column born of shop.visits: 3 values became NULL" in told
    assert step_of(result, EXTRACT).diagnostics[0].severity == "warning"


def test_text_makes_the_column_text_everywhere_and_counts_what_is_no_date(shop):
    shop.write(COLUMNS % "text", {"seen": "SELECT id, born || '!' AS born FROM shop.visits"})
    assert shop.schema("source:shop.visits")["born"] == "VARCHAR"
    result = shop.build()
    born = ["2001-02-03!", "0000-00-00!", "2001-00-10!", None, "2023-02-31!"]
    assert [row[1] for row in shop.rows("main.seen")] == born
    assert shop.card(result)[EXTRACT]["invalid"] == {"born": 3}


def test_a_policy_that_touched_nothing_says_zero_and_no_more(shop):
    shop.sql("DELETE FROM visits WHERE id IN (2, 3, 5)")
    shop.write(COLUMNS % "'null'", ALL)
    result = shop.build()
    assert shop.card(result)[EXTRACT]["invalid"] == {"born": 0}
    assert said(result, EXTRACT) == []


TYPED = """
      - name: visits
        columns:
          - {{ name: stay, data_type: TIME, on_invalid: {policy} }}
          - {{ name: since, data_type: UTINYINT, on_invalid: {policy} }}
          - {{ name: born, on_invalid: 'null' }}
"""


def test_what_does_not_fit_a_declared_type_is_settled_too(shop):
    shop.write(TYPED.format(policy="'null'"), ALL)
    result = shop.build()
    noon, midnight = datetime.time(10), datetime.time(0)
    assert [row[2:] for row in shop.rows("shop.visits")] == [
        (noon, None),
        (None, 0),
        (None, None),
        (None, None),
        (midnight, None),
    ]
    assert shop.card(result)[EXTRACT]["invalid"] == {"born": 3, "since": 3, "stay": 2}


def test_without_a_policy_each_column_that_does_not_fit_is_told(shop):
    shop.write(TYPED.format(policy="error"), ALL)
    told = "\n".join(said(shop.build(), EXTRACT))
    assert (
        "column stay of shop.visits holds 2 values" in told or "column since of shop.visits holds 3" in told
    )
    assert shop.rows("information_schema.tables WHERE table_name = 'visits'") == []


def test_every_time_and_year_is_a_value_of_its_own_type(shop):
    shop.write(COLUMNS % "'null'", {"seen": "SELECT id, stay, since FROM shop.visits"})
    result = shop.build()
    assert result.status == "success"
    longest = datetime.timedelta(hours=838, minutes=59, seconds=59)
    assert [(row[1], row[2]) for row in shop.rows("main.seen")] == [
        (datetime.timedelta(hours=10), 2001),
        (datetime.timedelta(hours=-1), 0),
        (longest, 2155),
        (None, None),
        (datetime.timedelta(0), 1901),
    ]


INCREMENTAL = """
      - name: visits
        extract: { mode: incremental, watermark: id, key: [id] }
        columns:
          - { name: born, on_invalid: 'null' }
"""


def test_an_increment_is_settled_and_merged_by_its_key(shop):
    shop.write(INCREMENTAL, ALL)
    shop.build()
    shop.sql(
        "SET sql_mode = ''",
        "UPDATE visits SET born = '2005-05-05' WHERE id = 5",
        "INSERT INTO visits (id, born) VALUES (6, '0000-00-00')",
    )
    result = shop.build()
    assert [row[1] for row in shop.rows("shop.visits")] == [
        DAY,
        None,
        None,
        None,
        datetime.date(2005, 5, 5),
        None,
    ]
    card = shop.card(result)[EXTRACT]
    assert (card["incremental"], card["rows_in"], card["invalid"]) == (True, 2, {"born": 1})


def test_the_last_good_rows_stay_where_a_value_is_refused(shop):
    shop.write("      - name: visits", {"seen": "SELECT id, born FROM shop.visits"})
    shop.sql("DELETE FROM visits WHERE id IN (2, 3, 5)")
    shop.build()
    shop.sql("SET sql_mode = ''", "INSERT INTO visits (id, born) VALUES (9, '0000-00-00')")
    [told] = said(shop.build(), EXTRACT)
    assert "holds 1 value that is not exactly of type DATE" in told
    assert "where id = 9" in told
    assert shop.rows("shop.visits") == [(1, DAY), (4, None)]
