"""Ctrl-C at any moment of a run: each event reaches every sink once, and the next run does the rest."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from run.plans import Collected, data_test, model, plan_of, run, statuses

from osiris_sql.support.interrupts import keyboard_interrupts
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.event import Event, StepFinished, StepStarted
from osiris_sql.types.result import fold_events

NONE = data_test("t", "e", "SELECT id FROM e WHERE false")
PLAN = plan_of(
    *(model(name, f"SELECT {n} AS id") for n, name in enumerate("abcd")),
    model("e", "SELECT id FROM d", inputs=("d",), tests=(NONE,)),
    concurrency=2,
)


class Pressing:
    """A sink that presses Ctrl-C at one event."""

    def __init__(self, at: int) -> None:
        self._at = at

    def emit(self, event: Event) -> None:
        if event.seq == self._at:
            signal.raise_signal(signal.SIGINT)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("launcher", ["local", "child"])
def test_at_any_event(tmp_path, launcher):
    ends = Counter()
    for at in range(12 if launcher == "local" else 4):
        root, before, behind = tmp_path / str(at), Collected(), Collected()
        root.mkdir()
        sinks = [before, Pressing(at), behind]
        code = load_plugin("launchers", launcher)().launch(PLAN, root, "r", {}, sinks)
        assert before.events == behind.events
        assert [event.seq for event in before.events] == list(range(len(before.events)))
        begun = Counter(e.body.step for e in before.events if isinstance(e.body, StepStarted))
        ended = Counter(e.body.step for e in before.events if isinstance(e.body, StepFinished))
        assert set(ended.values()) <= {1}
        assert begun <= ended
        told = fold_events(before.events)
        assert told.exit_code == code
        ends[told.status] += 1
        done = {name for name, status in statuses(told).items() if status == "success"}
        again = statuses(run(PLAN, root))
        assert again == {name: "reused" if name in done else "success" for name in "abcde"}
    assert ends["cancelled"] > 2
    assert ends.keys() <= {"cancelled", "success"}


def test_a_module_that_is_interrupted_while_it_loads_did_not_fail():
    with pytest.raises(KeyboardInterrupt), keyboard_interrupts():
        raise ImportError("initialization failed") from KeyboardInterrupt()


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="oops"), keyboard_interrupts():
        raise RuntimeError("oops")
