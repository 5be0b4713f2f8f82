"""Freshness: a build warns of old rows, `osiris-sql test` fails on them."""

from __future__ import annotations

import os

import pytest
from run.plans import Collected
from run.projects import build, compile_folder, write_files

from osiris_sql import api
from osiris_sql.types.result import RunResult

NOON = "2026-06-02T12:00:00+00:00"
SOURCES = """
version: 1
connections:
  shop: { type: files, path: data }
sources:
  - name: shop
    loaded_at_field: at
    freshness:
      warn_after: { count: 12, period: hour }
      error_after: { count: 1, period: day }
    tables:
      - name: orders
        columns: [{ name: id, data_type: INTEGER }, { name: at, data_type: TIMESTAMP }]
"""


@pytest.fixture
def shop(tmp_path):
    def made(newest: str):
        files = {
            "osiris-sql.toml": 'name = "shop"\n',
            "sources.yml": SOURCES,
            "data/orders.csv": f"id,at\n1,2020-01-01\n2,{newest}\n",
            "models/ids.sql": "SELECT id FROM shop.orders",
        }
        return write_files(tmp_path, files)

    return made


def run_tests(root, at: str = NOON) -> RunResult:
    """What `osiris-sql test -s source:*` says at an instant."""
    manifest = compile_folder(root)
    observed = api.observe_world(manifest, os.environ, command="test", select=["source:*"])
    plan = api.make_plan(manifest, observed, command="test", select=["source:*"], as_of=at)
    return api.run_plan(plan, root, dict(os.environ), (Collected(),))


def verdicts(result: RunResult) -> dict[str, str]:
    return {test.test.removesuffix("_shop_orders"): test.status for test in result.tests}


CASES = [
    ("2026-06-02 11:00:00", "pass", "pass", "pass"),
    ("2026-06-01 20:00:00", "warn", "pass", "pass"),
    ("2026-06-01 11:00:00", "warn", "warn", "fail"),
    ("", "warn", "warn", "fail"),
]


@pytest.mark.parametrize(("newest", "warns", "in_build", "in_test"), CASES)
def test_a_build_warns_and_a_test_fails(shop, newest, warns, in_build, in_test):
    root = shop(newest)
    built = build(root, as_of=NOON)
    assert built.status == "success"
    assert verdicts(built) == {"freshness_warn": warns, "freshness_error": in_build}
    result = run_tests(root)
    assert verdicts(result) == {"freshness_warn": warns, "freshness_error": in_test}
    assert result.exit_code == (1 if in_test == "fail" else 0)


def test_rows_that_did_not_change_grow_old(shop):
    root = shop("2026-06-02 11:00:00")
    assert verdicts(build(root, as_of=NOON)) == {"freshness_warn": "pass", "freshness_error": "pass"}
    again = build(root, as_of="2026-06-04T12:00:00+00:00")
    assert verdicts(again) == {"freshness_warn": "warn", "freshness_error": "warn"}
    assert [step.status for step in again.steps if step.step == "extract.shop.orders"] == ["reused"]


def test_the_column_of_freshness_is_read_though_nobody_else_uses_it(shop):
    [source] = compile_folder(shop("2026-06-02")).sources
    assert source.used == ("id", "at")
