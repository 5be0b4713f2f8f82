"""The verbs for runs that go on somewhere else: attach to one, collect what they left, look at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from osiris_sql.api.history import read_plan
from osiris_sql.protocols import Sink
from osiris_sql.run.card import write_card
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.event import Event
from osiris_sql.types.result import RunResult, fold_events


def attach_run(
    root: Path, run_id: str, environ: Mapping[str, str] | None = None, sinks: Sequence[Sink] = ()
) -> RunResult:
    """Follow a run in a sandbox that lost its client, from where that one was; return what it did."""
    folder = root / ".osiris" / "runs" / run_id
    plan = read_plan(root, run_id)
    files = load_plugin("sinks", "files")(folder)
    events: list[Event] = list(files.events)
    for event in events:
        for sink in sinks:
            sink.emit(event)
    collected = _Following(events)
    try:
        load_plugin("launchers", "e2b")().attach(
            plan,
            root,
            run_id,
            os.environ if environ is None else environ,
            [files, collected, *sinks],
            events[-1].seq + 1 if events else 0,
        )
    finally:
        files.close()
    result = fold_events(events)
    write_card(folder, plan, result)
    return result


def collect_sandboxes(
    root: Path, environ: Mapping[str, str] | None = None, *, every: bool = False
) -> list[str]:
    """Kill the sandboxes that this project left behind and return their ids; with `every` also those
    whose run could still be attached."""
    launcher = load_plugin("launchers", "e2b")()
    killed: list[str] = launcher.collect(root, os.environ if environ is None else environ, every=every)
    return killed


def make_template(environ: Mapping[str, str] | None = None) -> tuple[str, bool]:
    """Return the name of the template for sandboxes, and whether it was built now."""
    made: tuple[str, bool] = load_plugin("launchers", "e2b")().make_template(
        os.environ if environ is None else environ
    )
    return made


class _Following:
    """A sink that adds to a list."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def emit(self, event: Event) -> None:
        self._events.append(event)

    def close(self) -> None:
        pass
