"""Ctrl-C is heard at once, cancels the run in the sandbox, and leaves no sandbox behind."""

import signal
import time

import pytest
from sandbox.clients import client, read_until

from osiris_sql.support import wire
from osiris_sql.types.event import Event
from osiris_sql.types.result import fold_events


def result(root):
    lines = (root / ".osiris/runs/r1/events.jsonl").read_text().splitlines()
    return fold_events(wire.from_json(Event, line) for line in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_one_cancels_the_run_in_the_sandbox(root, server, environ, number):
    with client(root, environ) as process:
        read_until(process, "step_started materialize.b")
        process.send_signal(number)
        assert process.wait(20) == 130, process.stderr.read()
    ended = result(root)
    # The worker's own words: it rolled back and said what was left.
    assert {step.step: step.status for step in ended.steps} == {
        "materialize.a": "success",
        "materialize.b": "cancelled",
        "materialize.c": "cancelled",
    }
    assert (ended.status, ended.diagnostics) == ("cancelled", ())
    assert server.sandboxes.running() == []


def test_the_second_one_kills_also_when_the_link_is_dead(root, server, environ):
    with client(root, environ) as process:
        read_until(process, "step_started materialize.b")
        server.faults.stalled.set()
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130, process.stderr.read()
    assert result(root).status == "cancelled"
    assert server.sandboxes.running() == []


def test_before_the_run_began_it_makes_no_sandbox_or_kills_it(root, server, environ):
    with client(root, environ) as process:
        read_until(process, "ready")
        while not server.sandboxes.every:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stderr.read()
    assert server.sandboxes.running() == []
