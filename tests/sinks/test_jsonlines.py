"""Events for machines, on stdout."""

import io
import os

from run.plans import model, plan_of

from osiris_sql.run.execute import execute
from osiris_sql.sinks.jsonlines import JsonLines
from osiris_sql.support import wire
from osiris_sql.types.event import Event


def test_each_event_is_a_line(tmp_path):
    stream = io.StringIO()
    execute(
        plan_of(model("a", "SELECT 1 AS id")), tmp_path, {}, [JsonLines(stream)], run_id="r", launcher="local"
    )
    events = [wire.from_json(Event, line) for line in stream.getvalue().splitlines()]
    assert [event.body.kind for event in events] == [
        "run_started",
        "step_started",
        "step_finished",
        "run_finished",
    ]


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    plan = plan_of(model("a", "SELECT 1 AS id"), model("b", "SELECT 2 AS id"))
    stream = os.fdopen(writing, "w", buffering=1)
    try:
        assert execute(plan, tmp_path, {}, [JsonLines(stream)], run_id="r", launcher="local") == 0
    finally:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, writing)
        os.close(nowhere)
        stream.close()
