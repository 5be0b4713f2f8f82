"""A file or a database in a file that is not as sources.lock records it: found before its rows are read."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from run.plans import Collected
from run.projects import plan_folder, rows_of, write_files
from sources.mysql_shop import said, step_of

from osiris_sql import api
from osiris_sql.types.result import RunResult

EXTRACT = "extract.shop.orders"
SOURCES = """
version: 1
connections: {{ shop: {{ type: {type}, path: {path} }} }}
sources: [{{ name: shop, tables: [{{ name: orders }}] }}]
"""
Write = Callable[[Path, str], None]


def csv(root: Path, select: str) -> None:
    duckdb.sql(select).write_csv(str(root / "data/orders.csv"))


def lines(root: Path, select: str) -> None:
    """JSON lines; a value that is NULL has no key."""
    rows = duckdb.sql(f"SELECT to_json(q)::VARCHAR FROM ({select}) q").fetchall()
    objects = (json.loads(row) for (row,) in rows)
    texts = (json.dumps({k: v for k, v in one.items() if v is not None}) for one in objects)
    (root / "data/orders.jsonl").write_text("\n".join(texts))


def parquet(root: Path, select: str) -> None:
    duckdb.sql(select).write_parquet(str(root / "data/orders.parquet"))


def database(root: Path, select: str) -> None:
    with duckdb.connect(root / "data/shop.duckdb") as connection:
        connection.execute(f"CREATE OR REPLACE TABLE orders AS {select}")


def sqlite(root: Path, select: str) -> None:
    connection = sqlite3.connect(root / "data/shop.sqlite")
    connection.executescript(f"DROP TABLE IF EXISTS orders; CREATE TABLE orders AS {select}")
    connection.close()


KINDS: dict[str, tuple[Write, str, str]] = {
    "csv": (csv, "files", "data"),
    "jsonl": (lines, "files", "data"),
    "parquet": (parquet, "files", "data"),
    "duckdb": (database, "duckdb", "data/shop.duckdb"),
    "sqlite": (sqlite, "sqlite", "data/shop.sqlite"),
}


@pytest.fixture(params=KINDS)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], None]:
    """Writes the table from a query; a project that reads it was built once."""
    put, type_, path = KINDS[request.param]
    (tmp_path / "data").mkdir()
    put(tmp_path, "SELECT 1 AS id, CAST(5 AS INTEGER) AS amount, 'a' AS note")
    model = "{{ config(materialized='table') }} SELECT sum(amount) AS amount FROM shop.orders"
    files = {"osiris-sql.toml": 'name = "shop"\n', "models/totals.sql": model}
    write_files(tmp_path, {**files, "sources.yml": SOURCES.format(type=type_, path=path)})
    api.discover_sources(api.load_project(tmp_path), [], os.environ)
    assert build(tmp_path).status == "success"
    return lambda select: put(tmp_path, select)


def build(root: Path) -> RunResult:
    return api.run_plan(plan_folder(root), root, dict(os.environ), (Collected(),))


def test_a_lost_column_that_is_read_is_told_with_its_readers_and_the_last_rows_stay(write, tmp_path):
    write("SELECT 1 AS id, 7 AS amounts, 'a' AS note")
    result = build(tmp_path)
    [told] = said(result, EXTRACT)
    assert told.startswith("source-drifted: shop.orders has lost columns that are read: amount")
    assert "amount is gone (read by totals)" in told
    assert "amounts" in told
    assert rows_of(tmp_path, "main.totals") == [(5,)]


def test_what_stops_nobody_is_a_warning_with_the_difference(write, tmp_path):
    write("SELECT 1 AS id, CAST(7 AS INTEGER) AS amount, 'x' AS city")
    result = build(tmp_path)
    assert result.status == "success"
    [told] = said(result, EXTRACT)
    assert told.startswith("source-drifted: shop.orders is not as sources.lock records it")
    assert "note is gone" in told
    assert "city" in told
    assert step_of(result, EXTRACT).diagnostics[0].severity == "warning"
    assert rows_of(tmp_path, "main.totals") == [(7,)]


def test_a_table_that_is_as_recorded_is_told_nothing_of(write, tmp_path):
    write("SELECT 2 AS id, CAST(9 AS INTEGER) AS amount, 'b' AS note")
    assert said(build(tmp_path), EXTRACT) == []


MANY = "SELECT range AS id, range AS amount, CASE WHEN range {} THEN 'a' END AS note FROM range(2000)"


@pytest.fixture
def many_lines(tmp_path: Path) -> Path:
    """A project that was built with 2,000 lines of JSON, all of which have a note."""
    files = {"osiris-sql.toml": 'name = "shop"\n', "data/orders.jsonl": ""}
    write_files(tmp_path, {**files, "models/notes.sql": "SELECT note, amount FROM shop.orders"})
    write_files(tmp_path, {"sources.yml": SOURCES.format(type="files", path="data")})
    lines(tmp_path, MANY.format("IS NOT NULL"))
    api.discover_sources(api.load_project(tmp_path), [], os.environ)
    assert build(tmp_path).status == "success"
    return tmp_path


def test_a_key_that_the_first_lines_of_a_long_file_lack_may_stand_further_down(many_lines):
    lines(many_lines, MANY.format("> 1900"))
    result = build(many_lines)
    assert (result.status, said(result, EXTRACT)) == ("success", [])


def test_another_kind_of_value_in_the_first_lines_is_told_before_it_is_read(many_lines):
    lines(many_lines, MANY.format("IS NOT NULL").replace("range AS amount", "'much' AS amount"))
    told = said(build(many_lines), EXTRACT)
    assert "amount was BIGINT and is VARCHAR (read by notes)" in "\n".join(told)


@pytest.mark.parametrize("values", ["1.5", "1"])
def test_values_that_a_wider_type_holds_are_no_drift(many_lines, values):
    lines(many_lines, MANY.format("IS NOT NULL").replace("range AS amount", f"{values} + range AS amount"))
    api.discover_sources(api.load_project(many_lines), ["shop"], os.environ)
    lines(many_lines, MANY.format("IS NOT NULL").replace("range AS amount", "7 AS amount"))
    assert said(build(many_lines), EXTRACT) == []
