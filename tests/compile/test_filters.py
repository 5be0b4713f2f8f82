"""Which rows of a source table the readers of it need, as far as simple comparisons say."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from run.projects import compile_folder, write_files

from osiris_sql.cli.extract_query import filter_text
from osiris_sql.compile.filters import read_filters
from osiris_sql.types.relation import Column, TableSchema

TYPES = {"id": "INTEGER", "big": "UBIGINT", "price": "DECIMAL(8,2)", "note": "VARCHAR", "x": "DOUBLE"} | {
    "day": "DATE",
    "at": "TIMESTAMP",
    "seen": "TIMESTAMP WITH TIME ZONE",
}
ORDERS = TableSchema(columns=tuple(Column(name=name, type=type_) for name, type_ in TYPES.items()))


def filter_of(sql: str) -> str:
    """What the query needs of the source table shop.orders, as SQL; nothing if it may need all rows."""
    found = read_filters(
        sqlglot.parse_one(sql, dialect="duckdb").walk(), {("shop", "orders"): ("source:o", ORDERS)}
    )
    return filter_text(found.get("source:o", ()))


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("id = 5", "id = 5"),
        ("5 < ID AND o.id <> -7", "id > 5 AND id <> -7"),
        ("id BETWEEN 1 AND 9", "id >= 1 AND id <= 9"),
        ("id BETWEEN 1 AND big", "id >= 1"),
        ("((id IN (1, 2)) AND (note IS NULL))", "id IN (1, 2) AND note IS NULL"),
        ("x IS NOT NULL AND NOT note IS NULL", "x IS NOT NULL AND note IS NOT NULL"),
        ("price >= 1.50 AND price < 10", "price >= 1.50 AND price < 10"),
        ("note = 'it''s' AND note <> 'a\\b'", "note = 'it''s' AND note <> 'a\\b'"),
        ("day >= '2026-01-31' AND day < DATE '2026-03-01'", "day >= '2026-01-31' AND day < '2026-03-01'"),
        ("at >= '2026-01-31T10:00:00'", "at >= '2026-01-31 10:00:00'"),
        ("at < DATE '2026-01-31'", "at < '2026-01-31 00:00:00'"),
        ("seen < '2026-01-31'::TIMESTAMPTZ", "seen < '2026-01-31 00:00:00'"),
        # Of several conditions those count that are simple: the others leave out even more.
        ("id = 5 AND (note = 'a' OR price > 1) AND price > big AND lower(note) = 'x'", "id = 5"),
    ],
)
def test_simple_comparisons_of_a_column_with_literals_are_told(where, told):
    assert filter_of(f"SELECT id FROM shop.orders AS o WHERE {where}") == told


@pytest.mark.parametrize(
    "where",
    [
        "x > 1",  # a DOUBLE is written in other digits
        "id = '5'",
        "id > 1.5",
        "id > 1e3",
        "price > 1.005",
        "price < 10000000",
        "day >= '2026-1-31'",
        "day >= '2026-02-30'",
        "day > TIMESTAMP '2026-01-31 10:00:00'",
        "at >= '2026-01-31 10:00:00.5'",
        "at >= '2026-01-31 10:00:00+01'",
        "seen > '2040-01-01'",
        "note = 'a' COLLATE NOCASE",
        "note LIKE 'a%'",
        "id = NULL",
        "id = big",
        "id NOT IN (1, 2)",
        "id IN (SELECT 1)",
        "id IN (1, NULL)",
        "id = 1 OR note = 'a'",
        "NOT id = 1",
        "(id = 1) IS NOT NULL",
        "id + 1 = 2",
        "other.id = 1",
        "there_is_no_such_column = 1",
        "id = 9999999999999999999",
        "id = $run_clock",
    ],
)
def test_all_else_is_not(where):
    assert filter_of(f"SELECT id FROM shop.orders AS o WHERE {where}") == ""


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("WITH o AS (SELECT * FROM shop.orders WHERE id = 1) SELECT * FROM o WHERE id = 2", "id = 1"),
        ("SELECT -id AS id FROM shop.orders WHERE id > 1 QUALIFY row_number() OVER () = 1", "id > 1"),
        ("FROM shop.orders WHERE id = 1 ORDER BY 1 LIMIT 2", "id = 1"),
        (
            "SELECT * FROM shop.orders WHERE id = 1 UNION ALL SELECT * FROM shop.orders WHERE day IS NULL",
            "(id = 1) OR (day IS NULL)",
        ),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM shop.orders WHERE id = 1)", "id = 1"),
        ("SELECT * FROM shop.orders WHERE id = 1 UNION ALL SELECT * FROM shop.orders", ""),
        ("SELECT * FROM (SELECT * FROM shop.orders) WHERE id = 1", ""),
        ("SELECT * FROM shop.orders o JOIN shop.orders p USING (id) WHERE o.id = 1", ""),
        ("SELECT * FROM shop.orders o, (SELECT 1) WHERE o.id = 1", ""),
        ("SELECT * FROM shop.orders WHERE id = 1 USING SAMPLE 10 ROWS", ""),
        ("SELECT * FROM shop.orders TABLESAMPLE 10% WHERE id = 1", ""),
        ("SELECT * FROM shop.orders AS o(big, id) WHERE id = 1", ""),
        ("SELECT count(*) FILTER (WHERE id = 1) FROM shop.orders", ""),
        ("SELECT * FROM shop.orders GROUP BY ALL HAVING id = 1", ""),
    ],
)
def test_the_where_must_stand_right_over_the_table(sql, told):
    assert filter_of(sql) == told


# ------------------------------------------------------------------------------- all readers

PROJECT = {
    "osiris-sql.toml": 'name = "shop"\n',
    "sources.yml": """
version: 1
connections:
  shop: { type: mysql, host: localhost, database: shop, user: reader }
sources:
  - name: shop
    tables:
      - name: orders
        extract: EXTRACT
        columns: COLUMNS
""",
    "sources.lock": """
environments:
  dev:
    shop.orders:
      columns:
      - {name: id, type: INTEGER}
      - {name: note, type: VARCHAR}
      - {name: day, type: DATE}
""",
    "models/few.sql": "SELECT note FROM shop.orders WHERE id >= 5 AND day > '2026-01-01'",
}


def needed(
    root: Path, more: dict[str, str] | None = None, extract: str = "{ mode: full }", columns: str = "[]"
) -> str:
    """The filter that the extract of the table may send, as SQL."""
    text = PROJECT["sources.yml"].replace("EXTRACT", extract).replace("COLUMNS", columns)
    write_files(root, {**PROJECT, "sources.yml": text, **(more or {})})
    made = compile_folder(root)
    assert [d for d in made.diagnostics if d.severity == "error"] == []
    return filter_text(made.sources[0].filters)


FEW = "id >= 5 AND day > '2026-01-01'"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, FEW),
        ({"models/b.sql": "SELECT id FROM shop.orders WHERE id = 1"}, f"(id = 1) OR ({FEW})"),
        ({"models/b.sql": "SELECT id FROM shop.orders WHERE id >= 5"}, "id >= 5"),
        ({"models/b.sql": "SELECT id FROM shop.orders"}, ""),
        ({"models/b.sql": "SELECT note FROM few"}, FEW),
        ({"models/b.sql": "{{ config(materialized='ephemeral') }} SELECT id FROM shop.orders"}, ""),
        (
            {
                "models/b.sql": "{{ config(materialized='incremental') }} SELECT id FROM shop.orders"
                " {% if is_incremental() %} WHERE id > 5 {% endif %}"
            },
            "",
        ),
        ({"models/b.sql": "{{ config(enabled=false) }} SELECT id FROM shop.orders"}, FEW),
        ({"tests/t.sql": "SELECT id FROM shop.orders WHERE id = 7"}, ""),
        ({"tests/t.sql": "SELECT note FROM few"}, FEW),
    ],
)
def test_every_reader_must_leave_out_a_row_and_a_test_reads_them_all(tmp_path, more, told):
    assert needed(tmp_path, more) == told


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ("[{ name: id, data_type: BIGINT }]", "day > '2026-01-01'"),
        ('[{ name: day, on_invalid: "null" }]', "id >= 5"),
        ("[{ name: id, data_tests: [unique] }]", ""),
        ("[{ name: id, data_type: INTEGER, description: same as there }]", FEW),
    ],
)
def test_only_columns_that_are_at_the_source_what_models_see(tmp_path, columns, told):
    assert needed(tmp_path, columns=columns) == told


def test_of_an_increment_only_its_key_counts(tmp_path):
    """A row that no longer passes must still replace the one that it was."""
    assert needed(tmp_path, extract="{ mode: incremental, watermark: day, key: [id] }") == "id >= 5"


def test_a_freshness_check_reads_all_rows(tmp_path):
    fresh = "{}\n        loaded_at_field: day\n        freshness: { warn_after: 2d }"
    assert needed(tmp_path, extract=fresh) == ""


def test_a_source_that_does_not_take_filters_is_read_whole(tmp_path):
    there = "type: mysql, host: localhost, database: shop, user: reader"
    text = PROJECT["sources.yml"].replace("EXTRACT", "{}").replace("COLUMNS", "[]")
    files = {**PROJECT, "sources.yml": text.replace(there, "type: sqlite, path: shop.db")}
    assert compile_folder(write_files(tmp_path, files)).sources[0].filters == ()
