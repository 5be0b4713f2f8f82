"""What a run leaves in its folder."""

import json

from run.plans import data_test, model, plan_of

from osiris_sql.run.execute import execute
from osiris_sql.sinks.files import Files
from osiris_sql.support import wire
from osiris_sql.types.event import Event, RunStarted
from osiris_sql.types.result import RunResult, fold_events


def run(plan, root):
    sink = Files(root / "run")
    execute(plan, root, {}, [sink], run_id="r1", launcher="local")
    sink.close()
    return root / "run"


def test_events_stand_one_a_line_and_the_result_is_their_fold(tmp_path):
    plan = plan_of(
        model("a", "SELECT 1 AS id", tests=(data_test("t", "a", "SELECT * FROM a WHERE id > 5"),)),
        model("b", "SELECT 'x'::INTEGER AS id"),
    )
    folder = run(plan, tmp_path)
    lines = (folder / "events.jsonl").read_text().splitlines()
    events = [wire.from_json(Event, line) for line in lines]
    assert [event.seq for event in events] == list(range(len(lines)))
    result = wire.from_json(RunResult, (folder / "run_results.json").read_bytes())
    assert result == fold_events(events)
    assert result.exit_code == 1
    assert [path.name for path in sorted(folder.iterdir())] == ["events.jsonl", "run_results.json"]


def test_a_line_is_in_the_file_before_the_next_event(tmp_path):
    sink = Files(tmp_path)
    sink.emit(started())
    assert json.loads((tmp_path / "events.jsonl").read_text())["body"]["kind"] == "run_started"
    assert not (tmp_path / "run_results.json").exists()
    sink.close()


def test_a_run_that_was_cut_off_has_the_status_running(tmp_path):
    sink = Files(tmp_path)
    sink.emit(started())
    sink.close()
    sink.close()
    assert json.loads((tmp_path / "run_results.json").read_text())["status"] == "running"


def started() -> Event:
    body = RunStarted(
        run_id="r1",
        project="p",
        env="dev",
        command="build",
        launcher="local",
        plan_sha256="",
        steps=1,
        versions={},
    )
    return Event(seq=0, at="2026-01-31T12:00:00+00:00", body=body)
