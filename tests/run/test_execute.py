"""The loop: what runs, what is reused, what is skipped, and what is left after a failure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from run.plans import Collected, data_test, model, plan_of, rows, run, statuses

from osiris_sql.engines.duckdb.mirror import mirror_path, read_mirror
from osiris_sql.run.dropping import drop_relations
from osiris_sql.run.execute import execute
from osiris_sql.run.fit import digest_state
from osiris_sql.run.lock import hold_warehouse, read_holder
from osiris_sql.run.observe import read_state
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Location, UnreachableError
from osiris_sql.types.event import Event
from osiris_sql.types.plan import PlannedConnection
from osiris_sql.types.result import fold_events


def test_a_second_run_with_nothing_new_executes_no_model(tmp_path):
    plan = plan_of(model("a", "SELECT 1 AS id"), model("b", "SELECT id FROM a", inputs=("a",)))
    assert statuses(run(plan, tmp_path)) == {"a": "success", "b": "success"}
    assert statuses(run(plan, tmp_path)) == {"a": "reused", "b": "reused"}


def test_a_rebuilt_model_whose_rows_did_not_change_stops_the_wave(tmp_path):
    below = model("b", "SELECT id FROM a", inputs=("a",))
    run(plan_of(model("a", "SELECT 1 AS id"), below), tmp_path)
    changed = run(plan_of(model("a", "SELECT 2 - 1 AS id"), below), tmp_path)
    assert statuses(changed) == {"a": "success", "b": "reused"}
    moved = run(plan_of(model("a", "SELECT 2 AS id"), below), tmp_path)
    assert statuses(moved) == {"a": "success", "b": "success"}
    assert rows(tmp_path, "b") == [(2,)]


def test_a_view_that_changes_rebuilds_what_reads_it(tmp_path):
    below = model("b", "SELECT id FROM a", inputs=("a",))
    run(plan_of(model("a", "SELECT 1 AS id", materialized="view"), below), tmp_path)
    result = run(plan_of(model("a", "SELECT 5 AS id", materialized="view"), below), tmp_path)
    assert statuses(result) == {"a": "success", "b": "success"}
    assert rows(tmp_path, "b") == [(5,)]


def test_a_failure_skips_what_stands_below_and_the_rest_goes_on(tmp_path):
    result = run(
        plan_of(
            model("a", "SELECT 'x'::INTEGER AS id"),
            model("b", "SELECT id FROM a", inputs=("a",)),
            model("c", "SELECT id FROM b", inputs=("b",)),
            model("d", "SELECT 4 AS id"),
        ),
        tmp_path,
    )
    assert statuses(result) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "success"}
    assert result.exit_code == 1
    failed = result.steps[0].diagnostics[0]
    assert (failed.rule, str(failed.location)) == ("bad-value", "models/a.sql")
    assert {s.step: s.why for s in result.steps}["materialize.c"] == "needs materialize.a, which failed"


def test_fail_fast_starts_nothing_more(tmp_path):
    result = run(
        plan_of(model("a", "SELECT 'x'::INTEGER AS id"), model("b", "SELECT 1 AS id")),
        tmp_path,
        fail_fast=True,
    )
    assert statuses(result) == {"a": "failed", "b": "skipped"}


def test_a_failed_data_test_keeps_the_rows_that_passed_and_is_not_forgotten(tmp_path):
    test = data_test("positive", "a", "SELECT * FROM a WHERE id < 0")
    below = model("b", "SELECT id FROM a", inputs=("a",))
    run(plan_of(model("a", "SELECT 1 AS id", tests=(test,)), below), tmp_path)
    bad = plan_of(model("a", "SELECT -1 AS id", tests=(test,)), below)
    for _ in range(2):
        result = run(bad, tmp_path)
        assert statuses(result) == {"a": "failed", "b": "skipped"}
        assert (result.tests[0].status, result.tests[0].failures) == ("fail", 1)
        assert result.tests[0].sample == ({"id": "-1"},)
        assert rows(tmp_path, "a") == rows(tmp_path, "b") == [(1,)]


def test_every_failing_test_of_a_table_is_shown(tmp_path):
    tests = (
        data_test("one", "a", "SELECT 1 FROM a"),
        data_test("two", "a", "SELECT 2 FROM a"),
        data_test("fine", "a", "SELECT 3 FROM a WHERE false"),
    )
    result = run(plan_of(model("a", "SELECT 1 AS id", tests=tests)), tmp_path)
    assert [(t.test, t.status) for t in result.tests] == [("one", "fail"), ("two", "fail"), ("fine", "pass")]
    assert [d.rule for d in result.steps[0].diagnostics] == ["test-failed", "test-failed"]


def test_a_test_that_passed_on_exactly_these_rows_is_reused_and_a_new_one_runs(tmp_path):
    first = data_test("first", "a", "SELECT * FROM a WHERE id < 0")
    second = data_test("second", "a", "SELECT * FROM a WHERE id > 9")
    plain = model("a", "SELECT 1 AS id", tests=(first,))
    run(plan_of(plain), tmp_path)
    result = run(plan_of(replace(plain, tests=(first, second))), tmp_path)
    assert statuses(result) == {"a": "reused"}
    assert [(t.test, t.status) for t in result.tests] == [("first", "reused"), ("second", "pass")]
    failing = data_test("third", "a", "SELECT * FROM a")
    result = run(plan_of(replace(plain, tests=(first, failing))), tmp_path)
    assert statuses(result) == {"a": "failed"}


@pytest.mark.parametrize(
    ("severity", "warn_if", "error_if", "status", "exit_code"),
    [
        ("error", "!= 0", "!= 0", "fail", 1),
        ("warn", "!= 0", "!= 0", "warn", 0),
        ("error", "!= 0", "> 3", "warn", 0),
        ("error", "> 3", "> 3", "pass", 0),
        ("error", "> 5", ">= 3", "fail", 1),
        ("warn", "> 5", ">= 3", "pass", 0),
    ],
)
def test_thresholds(tmp_path, severity, warn_if, error_if, status, exit_code):
    test = data_test(
        "t", "a", "SELECT * FROM range(3)", severity=severity, warn_if=warn_if, error_if=error_if
    )
    result = run(plan_of(model("a", "SELECT 1 AS id", tests=(test,))), tmp_path)
    assert (result.tests[0].status, result.exit_code) == (status, exit_code)


def test_an_incremental_model_adds_only_to_a_table_of_the_same_definition(tmp_path):
    source = model("a", "SELECT 1 AS id")
    step = model(
        "b",
        "SELECT id FROM a",
        inputs=("a",),
        materialized="incremental",
        increment_sql="SELECT id FROM a WHERE id > (SELECT max(id) FROM b)",
    )
    assert run(plan_of(source, step), tmp_path).steps[1].facts == {"incremental": False}
    more = run(plan_of(model("a", "SELECT * FROM (VALUES (1), (2)) t(id)"), step), tmp_path)
    assert more.steps[1].facts == {"incremental": True}
    assert (more.steps[1].rows_in, more.steps[1].rows_out) == (1, 2)
    changed = replace(step, sql="SELECT 7 AS id", fingerprint="other")
    assert run(plan_of(source, changed), tmp_path).steps[1].facts == {"incremental": False}
    assert rows(tmp_path, "b") == [(7,)]


def test_what_was_built_must_have_the_compiled_columns(tmp_path):
    result = run(plan_of(model("a", "SELECT 1 AS id", columns="id BIGINT")), tmp_path)
    assert result.steps[0].diagnostics[0].rule == "schema-differs"


def test_an_input_that_was_never_built_is_named(tmp_path):
    result = run(plan_of(model("b", "SELECT id FROM a", inputs=("a",))), tmp_path)
    assert "a, which this model reads" in result.steps[0].diagnostics[0].message
    assert result.steps[0].diagnostics[0].fix == 'select it too: -s "+b"'


def test_missing_variables_are_all_named_before_anything_runs(tmp_path):
    connection = PlannedConnection(
        name="shop",
        type="mysql",
        role="source",
        options={"host": "${SHOP_HOST}", "password": "${SHOP_PASSWORD}", "user": "${SHOP_USER:-reader}"},
        env_names=("SHOP_HOST", "SHOP_PASSWORD", "SHOP_USER"),
        location=Location(path="sources.yml", line=3),
    )
    result = run(plan_of(model("a", "SELECT 1 AS id"), connections=(connection,)), tmp_path)
    assert result.exit_code == 2
    assert [d.message for d in result.diagnostics] == [
        "the environment variable SHOP_HOST is not set",
        "the environment variable SHOP_PASSWORD is not set",
    ]
    assert not (tmp_path / ".osiris").exists()


def test_a_warehouse_in_use_names_the_process_and_the_run(tmp_path):
    warehouse = tmp_path / ".osiris" / "dev.duckdb"
    with hold_warehouse(warehouse, "first"):
        assert read_holder(warehouse) == {"pid": os.getpid(), "run": "first"}
        result = run(plan_of(model("a", "SELECT 1 AS id")), tmp_path)
    assert result.exit_code == 3
    assert f"process {os.getpid()}, run first" in result.diagnostics[0].message
    assert run(plan_of(model("a", "SELECT 1 AS id")), tmp_path).exit_code == 0


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        ({"versions": {"duckdb": "0.1"}}, "another-version", "made with duckdb 0.1"),
        ({"versions": {"osiris-sql": "0.0.1"}}, "another-version", "made with osiris-sql 0.0.1"),
        ({"state": "of another time"}, "another-state", "not in the state"),
    ],
)
def test_a_plan_made_for_another_world_is_refused_with_the_reason(tmp_path, change, rule, words):
    run(plan_of(model("a", "SELECT 1 AS id")), tmp_path)
    result = run(plan_of(model("a", "SELECT 2 AS id"), **change), tmp_path)
    assert (result.exit_code, result.diagnostics[0].rule) == (2, rule)
    assert words in result.diagnostics[0].message
    assert rows(tmp_path, "a") == [(1,)]


def test_a_plan_made_for_this_state_runs_once(tmp_path):
    run(plan_of(model("a", "SELECT 1 AS id")), tmp_path)
    state = digest_state(read_state(tmp_path / ".osiris" / "dev.duckdb", "duckdb", while_running=False))
    frozen = plan_of(model("a", "SELECT 2 AS id"), state=state)
    assert run(frozen, tmp_path).exit_code == 0
    assert run(frozen, tmp_path).diagnostics[0].rule == "another-state"


def test_a_reader_sees_the_last_commit_while_a_run_holds_the_warehouse(tmp_path):
    warehouse = tmp_path / ".osiris" / "dev.duckdb"
    run(plan_of(model("a", "SELECT 1 AS id")), tmp_path)
    before = read_state(warehouse, "duckdb", while_running=False)
    assert set(before) == {"model:a"}
    with hold_warehouse(warehouse, "first"):
        with pytest.raises(UnreachableError):
            read_state(warehouse, "duckdb", while_running=False)
        assert read_state(warehouse, "duckdb", while_running=True) == before


def test_what_was_forgotten_is_not_read_from_the_copy(tmp_path):
    warehouse = tmp_path / ".osiris" / "dev.duckdb"
    run(plan_of(model("a", "SELECT 1 AS id"), model("b", "SELECT 2 AS id")), tmp_path)
    drop_relations(warehouse, {"model:b": None}, ())
    assert set(read_mirror(warehouse)) == {"model:a"}


def test_a_state_line_that_is_half_written_is_left_out(tmp_path):
    warehouse = tmp_path / ".osiris" / "dev.duckdb"
    run(plan_of(model("a", "SELECT 1 AS id")), tmp_path)
    with mirror_path(warehouse).open("a") as file:
        file.write('{"step":"model:b","finger')
    assert set(read_mirror(warehouse)) == {"model:a"}


def test_events_are_numbered_without_gaps_also_from_several_threads(tmp_path):
    sink = Collected()
    steps = [model(f"m{n}", f"SELECT {n} AS id") for n in range(12)]
    execute(plan_of(*steps, concurrency=4), tmp_path, {}, [sink], run_id="r", launcher="local")
    assert [event.seq for event in sink.events] == list(range(len(sink.events)))
    assert fold_events(sink.events).status == "success"


SLOW = "SELECT count(*)::INTEGER AS id FROM range(100000) a, range(100000) b WHERE hash(a.range, b.range) = 1"


def start_worker(tmp_path, plan):
    path = tmp_path / "plan.json"
    path.write_text(wire.to_document(plan))
    return subprocess.Popen(
        [sys.executable, "-m", "osiris_sql.worker", str(path), "--root", str(tmp_path), "--run-id", "w"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def read_until(worker, word: str) -> list[str]:
    lines = []
    for line in worker.stdout:
        lines.append(line)
        if word in line:
            break
    return lines


def test_ctrl_c_cancels_a_query_that_would_run_for_ever_and_the_next_run_goes_on(tmp_path):
    slow = plan_of(model("a", "SELECT 1 AS id"), model("b", SLOW), model("c", "SELECT 3 AS id"))
    with start_worker(tmp_path, slow) as worker:
        read_until(worker, '"step":"materialize.b"')
        time.sleep(0.3)
        worker.send_signal(signal.SIGINT)
        lines = [wire.from_json(Event, x) for x in worker.stdout]
        assert worker.wait(10) == 130
    ended = fold_events(lines)
    assert statuses(ended) == {"b": "cancelled", "c": "cancelled"}
    again = run(plan_of(model("a", "SELECT 1 AS id"), model("b", "SELECT 2 AS id")), tmp_path)
    assert statuses(again) == {"a": "reused", "b": "success"}


def test_kill_9_leaves_a_warehouse_that_opens_and_what_was_done_is_not_done_again(tmp_path):
    slow = plan_of(model("a", "SELECT 1 AS id"), model("b", SLOW))
    with start_worker(tmp_path, slow) as worker:
        read_until(worker, '"step":"materialize.b"')
        time.sleep(0.3)
        worker.kill()
        worker.wait(10)
    again = run(plan_of(model("a", "SELECT 1 AS id"), model("b", "SELECT 2 AS id")), tmp_path)
    assert statuses(again) == {"a": "reused", "b": "success"}
