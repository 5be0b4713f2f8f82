"""Incremental models whose definition changes: what stands in the table afterwards."""

from __future__ import annotations

import os

import duckdb
import pytest
from run.projects import SHOP, WAREHOUSE, build, ended, write_files

from osiris_sql.types.diagnostic import ProjectError

LOG = """{{{{ config(materialized='incremental', unique_key='id', {config}) }}}}
SELECT {columns} FROM shop.orders
{{% if is_incremental() %}} WHERE id > (SELECT max(id) FROM {{{{ this }}}}) {{% endif %}}"""
FILES = {
    name: SHOP[name] for name in ("osiris-sql.toml", "data/orders.csv", "data/customers.csv", "sources.yml")
}


def log(columns: str, config: str) -> dict[str, str]:
    return {"models/log.sql": LOG.format(columns=columns, config=config)}


def table(root) -> tuple[list[str], list[tuple]]:
    with duckdb.connect(os.fspath(root / WAREHOUSE)) as connection:
        found = connection.execute("SELECT * FROM log ORDER BY id")
        return [column[0] for column in found.description], found.fetchall()


def change(tmp_path, before: str, after: str, config: str):
    """Build, change the columns, add a row at the source and build again."""
    root = write_files(tmp_path, {**FILES, **log(before, config)})
    assert build(root).status == "success"
    write_files(root, {**log(after, config), "data/orders.csv": SHOP["data/orders.csv"] + "4,bob,40\n"})
    result = build(root)
    assert ended(result)["materialize.log"] == "success", result
    assert ended(build(root))["materialize.log"] == "reused"
    return table(root)


def test_append_adds_a_column_and_does_not_fill_old_rows(tmp_path):
    columns, rows = change(tmp_path, "id, amount", "id, customer, amount", "on_schema_change='append'")
    assert columns == ["id", "customer", "amount"]
    assert rows == [(1, None, 10), (2, None, 20), (3, None, 30), (4, "bob", 40)]


def test_sync_drops_and_retypes_too(tmp_path):
    columns, rows = change(tmp_path, "id, amount", "id, customer", "on_schema_change='sync'")
    assert (columns, rows) == (["id", "customer"], [(1, None), (2, None), (3, None), (4, "bob")])


def test_sync_casts_what_was_retyped(tmp_path):
    _, rows = change(tmp_path, "id, amount", "id, amount::VARCHAR AS amount", "on_schema_change='sync'")
    assert rows == [(1, "10"), (2, "20"), (3, "30"), (4, "40")]


def test_rebuild_starts_again(tmp_path):
    columns, rows = change(tmp_path, "id, amount", "id, customer", "on_schema_change='rebuild'")
    assert (columns, rows) == (["id", "customer"], [(1, "ann"), (2, "bob"), (3, "ann"), (4, "bob")])


def test_fail_is_the_default_and_says_so_before_anything_runs(tmp_path):
    with pytest.raises(
        ProjectError, match="columns of the incremental model log changed: \\+ customer VARCHAR"
    ):
        change(tmp_path, "id, amount", "id, amount, customer", "meta={}")
    assert table(tmp_path) == (["id", "amount"], [(1, 10), (2, 20), (3, 30)])
    result = build(tmp_path, full_refresh=True)
    assert ended(result)["materialize.log"] == "success"
    assert len(table(tmp_path)[1]) == 4


def test_what_may_never_be_rebuilt_goes_on_with_its_new_sql(tmp_path):
    _, rows = change(tmp_path, "id, amount", "id, amount * 100 AS amount", "full_refresh=false")
    assert rows == [(1, 10), (2, 20), (3, 30), (4, 4000)]


def test_a_table_below_a_rewritten_one_is_reused_when_the_rows_stayed_the_same(tmp_path):
    root = write_files(
        tmp_path, {**FILES, "models/a.sql": "SELECT id FROM shop.orders", "models/b.sql": "SELECT id FROM a"}
    )
    build(root)
    write_files(root, {"models/a.sql": "SELECT id + 0 AS id FROM shop.orders"})
    result = ended(build(root))
    assert (result["materialize.a"], result["materialize.b"]) == ("success", "reused")


def test_a_source_table_is_read_again_when_more_of_its_columns_are_used(tmp_path):
    root = write_files(tmp_path, {**FILES, "models/a.sql": "SELECT id FROM shop.orders"})
    build(root)
    write_files(root, {"models/a.sql": "SELECT id, customer FROM shop.orders"})
    result = build(root)
    assert ended(result)["extract.shop.orders"] == "success"
    assert {s.step: s.why for s in result.steps}["extract.shop.orders"] == "more columns are used: customer"
    assert ended(build(root))["extract.shop.orders"] == "reused"


def test_a_full_refresh_reads_sources_that_did_not_change_too(tmp_path):
    root = write_files(tmp_path, SHOP)
    build(root)
    read = dict.fromkeys(("extract.shop.customers", "extract.shop.orders"), "success")
    assert read.items() <= ended(build(root, full_refresh=True)).items()
    assert set(ended(build(root)).values()) == {"reused"}
