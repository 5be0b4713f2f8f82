"""A file or a database in a file that is not as sources.lock records it: found before its rows are read."""

from __future__ import annotations

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
