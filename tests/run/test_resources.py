"""Too little memory, too little disk, a clock that jumps, plans that are wide or deep."""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime

import pytest
from run.dying import PROCESSES
from run.plans import Collected, model, plan_of, rows, run, statuses

from osiris_sql.run import journal
from osiris_sql.run.execute import execute
from osiris_sql.run.room import Room
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.event import StepFinished, StepProgress
from osiris_sql.types.result import fold_events
from osiris_sql.types.settings import PINNED_SETTINGS

SMALL = {**PINNED_SETTINGS, "memory_limit": "256MB", "threads": "2"}
HALF = "SELECT range AS k, md5(range::VARCHAR) AS t FROM range(3000000)"
JOIN = f"SELECT count(*)::INTEGER AS id FROM ({HALF}) a JOIN ({HALF}) b USING (k, t)"
HUGE_LIST = "SELECT len(list(range))::INTEGER AS id FROM range(100000000)"


def test_a_join_larger_than_its_memory_spills(tmp_path):
    result = run(plan_of(model("a", JOIN), engine_settings=SMALL), tmp_path)
    assert statuses(result) == {"a": "success"}
    assert rows(tmp_path, "a") == [(3_000_000,)]


def test_what_can_not_spill_fails_clearly_and_the_rest_goes_on(tmp_path):
    steps = (
        model("a", HUGE_LIST),
        model("b", "SELECT 1 AS id"),
        model("c", "SELECT id FROM a", inputs=("a",)),
    )
    result = run(plan_of(*steps, engine_settings=SMALL), tmp_path)
    assert statuses(result) == {"a": "failed", "b": "success", "c": "skipped"}
    found = result.steps[0].diagnostics[0]
    assert (found.rule, found.location.path) == ("out-of-memory", "models/a.sql")
    assert "memory_limit" in found.fix


def test_steps_that_fit_only_alone_are_tried_again_alone_and_all_succeed(tmp_path):
    large = "SELECT len(list(range + {}))::INTEGER AS id FROM range(12000000)"
    steps = [model(f"m{n}", large.format(n)) for n in range(3)]
    plan, seen = plan_of(*steps, engine_settings=SMALL, concurrency=3), Collected()
    assert execute(plan, tmp_path, {}, [seen], run_id="r", launcher="local") == 0
    again = [event.body.step for event in seen.events if isinstance(event.body, StepProgress)]
    assert again, "three at once do not fit"
    assert len(again) == len(set(again)), "each is tried once more"
    assert set(statuses(fold_events(seen.events)).values()) == {"success"}


def out_of_memory(step: str) -> StepFinished:
    found = Diagnostic(rule="out-of-memory", message="too much")
    return StepFinished(step=step, status="failed", diagnostics=(found,))


def test_a_step_out_of_memory_beside_others_is_tried_once_more_alone():
    a, b = model("a", "SELECT 1"), model("b", "SELECT 1")
    room = Room(2)
    room.enter(a)
    assert room.free
    room.enter(b)
    assert not room.free
    assert room.leave(a, out_of_memory(a.id))
    assert (room.waiting, room.free) == (True, False)
    assert not room.leave(b, StepFinished(step=b.id, status="success"))
    assert room.free
    assert room.take_waiting() == a
    room.enter(a)
    assert not room.free
    assert not room.leave(a, out_of_memory(a.id))
    assert room.free


def test_a_step_out_of_memory_that_ran_alone_is_not_tried_again():
    room = Room(2)
    room.enter(a := model("a", "SELECT 1"))
    assert not room.leave(a, out_of_memory(a.id))
    assert not room.waiting


def _run_with_small_files(root, plan) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
    result = run(plan, root)
    found = [(step.status, d.rule) for step in result.steps for d in step.diagnostics]
    sys.exit(0 if found == [("failed", "disk-full")] else f"{found} {result.diagnostics}")


def test_a_full_disk_is_named_and_nothing_is_half_written(tmp_path):
    assert run(plan_of(model("a", "SELECT 1 AS id")), tmp_path).status == "success"
    large = "SELECT ((hash(range) >> 33))::INTEGER AS id FROM range(3000000)"
    plan = plan_of(model("a", large), model("b", "SELECT id FROM a", inputs=("a",)))
    child = PROCESSES.Process(target=_run_with_small_files, args=(tmp_path, plan))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert rows(tmp_path, "a") == [(1,)]
    assert run(plan, tmp_path).status == "success"
    assert len(rows(tmp_path, "b")) == 3_000_000


def test_a_clock_that_jumps_moves_neither_the_order_nor_the_durations(tmp_path, monkeypatch):
    instants = iter(
        [datetime(2030, 1, 1, tzinfo=UTC), *(datetime(1999, 12, 31, tzinfo=UTC) for _ in range(20))]
    )

    class Jumping(datetime):
        @classmethod
        def now(cls, tz=None):
            return next(instants).astimezone(tz)

    monkeypatch.setattr(journal, "datetime", Jumping)
    plan = plan_of(model("a", "SELECT 1 AS id"), model("b", "SELECT id FROM a", inputs=("a",)))
    result = run(plan, tmp_path)
    assert statuses(result) == {"a": "success", "b": "success"}
    assert all(step.seconds >= 0 for step in result.steps)
    assert set(statuses(run(plan, tmp_path)).values()) == {"reused"}


@pytest.mark.parametrize("shape", ["wide", "deep"])
def test_a_thousand_views(tmp_path, shape):
    steps = [model("m0", "SELECT 1 AS id")]
    for n in range(1, 1000):
        above = n - 1 if shape == "deep" else 0
        steps.append(model(f"m{n}", f"SELECT id FROM m{above}", inputs=(f"m{above}",)))
    first = run(plan_of(*steps), tmp_path)
    assert set(statuses(first).values()) == {"success"}
    assert set(statuses(run(plan_of(*steps), tmp_path)).values()) == {"reused"}
    failing = [model("m0", "SELECT 'x'::INTEGER AS id"), *steps[1:]]
    assert sorted(statuses(run(plan_of(*failing), tmp_path)).values()) == ["failed", *["skipped"] * 999]
