"""`runs show` and `runs compare`: what a run came to, and the facts in which two differ."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from run.projects import SHOP, build, compile_folder, write_files
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


def test_a_list_reads_the_ends_of_each_run_alone(tmp_path):
    root = write_files(tmp_path, SHOP)
    done = [build(root) for _ in range(2)]
    listed = api.list_runs(root)
    assert [run.run_id for run in listed] == [run.run_id for run in reversed(done)]
    assert [(run.status, run.exit_code, run.steps) for run in listed] == [("success", 0, ())] * 2
    assert [run.seconds for run in listed] == [run.seconds for run in reversed(done)]
    assert api.read_run(root, done[0].run_id) == done[0]


@pytest.mark.parametrize("cut", [0, 1, 30])
def test_a_run_that_was_killed_is_listed_as_far_as_it_came(tmp_path, cut):
    root = write_files(tmp_path, SHOP)
    run = build(root).run_id
    events = root / ".osiris/runs" / run / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(lines[:1]) + b"".join(lines[1:-1]) * 200 + lines[-1][:cut])
    [listed] = api.list_runs(root)
    assert (listed.run_id, listed.status, listed.exit_code) == (run, "running", None)
    events.write_bytes(lines[0][:cut])
    assert api.list_runs(root) == []


def test_old_runs_are_removed_and_what_is_needed_stays(tmp_path):
    root = write_files(tmp_path, SHOP)
    first, second, third = (build(root).run_id for _ in range(3))
    assert json.loads(runs(root, "gc", "--keep", "2", "--json")) == {"sandboxes": [], "runs": [first]}
    assert api.remove_runs(root, keep=0, days=1) == []
    manifest = compile_folder(root)
    test = api.make_plan(manifest, api.observe_world(manifest, {}, command="test"), command="test")
    last = api.run_plan(test, root, {}).run_id
    assert runs(root, "gc", "--keep", "1") == f"removed {second}\n"
    assert sorted(run.run_id for run in api.list_runs(root)) == sorted([third, last]), "the last build stays"
    assert runs(root, "gc") == "nothing to remove\n"


def test_a_run_that_still_runs_or_can_be_attached_is_not_removed(tmp_path):
    root = write_files(tmp_path, SHOP)
    ids = [build(root).run_id for _ in range(3)]
    running, attached, _ = (root / ".osiris/runs" / run for run in ids)
    lines = (running / "events.jsonl").read_bytes().splitlines(keepends=True)
    (running / "events.jsonl").write_bytes(b"".join(lines[:-1]))
    (attached / "remote.json").write_text("{}")
    assert api.remove_runs(root, keep=0) == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert api.remove_runs(root, keep=0, now=tomorrow) == [ids[0]]


def test_what_steps_took_is_told_by_the_latest_build_that_did_them(tmp_path):
    root = write_files(tmp_path, SHOP)
    first = build(root)
    build(root)
    took = api.step_seconds(root, "dev")
    assert took == {step.step: step.seconds for step in first.steps}
    assert api.step_seconds(root, "prod") == {}
