"""`runs show` and `runs compare`: what a run came to, and the facts in which two differ."""

from __future__ import annotations

import json
import shutil

import pytest
from run.projects import SHOP, build, write_files
from typer.testing import CliRunner

from osiris_sql import api
from osiris_sql.cli.app import make_app
from osiris_sql.types.diagnostic import ProjectError


def runs(root, *arguments: str) -> str:
    result = CliRunner().invoke(make_app(), ["runs", *arguments, "--project-dir", str(root)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_two_builds_of_the_same_rows_differ_in_what_was_reused_alone(tmp_path):
    root = write_files(tmp_path, SHOP)
    first, second, third = build(root), build(root), build(root)
    # The plan holds the run clock, which may move between two builds.
    differing = {change.fact for change in api.compare_runs(root, second.run_id, third.run_id)}
    assert differing <= {"plan_sha256"}
    changed = {
        change.fact.rpartition(".")[2] for change in api.compare_runs(root, first.run_id, second.run_id)
    }
    assert "data" not in changed
    assert "status" in changed


def test_new_rows_show_as_facts(tmp_path):
    root = write_files(tmp_path, SHOP)
    first = build(root)
    write_files(root, {"data/orders.csv": SHOP["data/orders.csv"] + "4,bob,40\n"})
    second = build(root)
    changes = {
        c["fact"]: (c["before"], c["after"])
        for c in json.loads(runs(root, "compare", first.run_id, second.run_id, "--json"))
    }
    assert changes["steps.extract.shop.orders.rows_out"] == (3, 4)
    assert changes["steps.materialize.history.incremental"] == (False, True)
    assert "steps.extract.shop.customers.rows_out" not in changes
    assert "steps.extract.shop.orders.rows_out: 3 → 4" in runs(root, "compare", first.run_id, second.run_id)


def test_show(tmp_path):
    root = write_files(tmp_path, SHOP)
    run = build(root).run_id
    assert "success   materialize.totals  2 rows" in runs(root, "show", run)
    card = json.loads(runs(root, "show", run, "--json"))
    written = json.loads((root / ".osiris/runs" / run / "run_card.json").read_text())
    assert card == written
    (root / ".osiris/runs" / run / "run_card.json").unlink()
    assert json.loads(runs(root, "show", run, "--json")) == written


def test_a_run_that_is_not_there(tmp_path):
    root = write_files(tmp_path, SHOP)
    run = build(root).run_id
    shutil.rmtree(root / ".osiris/runs" / run)
    with pytest.raises(ProjectError, match="there is no run"):
        api.read_card(root, run)
