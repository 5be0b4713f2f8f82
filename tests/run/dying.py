"""Runs that die: a process of their own, killed at a chosen event or just before a chosen line of code."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from osiris_sql import api
from osiris_sql.support import wire
from osiris_sql.types.event import Event
from osiris_sql.types.plan import Plan

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "hypothesis",
        "osiris_sql.api.running",
        "osiris_sql.engines.duckdb",
        "osiris_sql.launchers.local",
        "osiris_sql.sinks.files",
        "osiris_sql.sources.files.reading",
        "osiris_sql.targets.duckdb.target",
        "osiris_sql.targets.duckdb.delivery",
        "pyarrow",
    ]
)


EFFECTS = re.compile(r"osiris_sql/(run|engines|targets)/")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyEvent:
    """A sink that kills the process when event number `seq` was written to the run's folder."""

    def __init__(self, seq: int) -> None:
        self._seq = seq

    def emit(self, event: Event) -> None:
        if event.seq == self._seq:
            die()

    def close(self) -> None:
        pass


def count_lines(at: Callable[[int], None]) -> None:
    """Call `at` with 0, 1, 2, … before each line of our own code that does what a plan says."""
    numbers = count()

    def line(_frame: FrameType, event: str, _value: Any) -> Any:
        if event == "line":
            at(next(numbers))
        return line

    def call(frame: FrameType, _event: str, _value: Any) -> Any:
        return line if EFFECTS.search(frame.f_code.co_filename) else None

    threading.settrace(call)
    sys.settrace(call)


def _run(root: str, plan: str, event: int | None, line: int | None, counted: Any) -> None:
    def at(number: int) -> None:
        counted.value = number + 1
        if number == line:
            die()

    count_lines(at)
    sinks = () if event is None else (DeadlyEvent(event),)
    result = api.run_plan(wire.from_json(Plan, plan), Path(root), {}, sinks)
    sys.exit(result.exit_code)


def run_apart(
    root: Path, plan: Plan, *, event: int | None = None, line: int | None = None
) -> tuple[int, int]:
    """Run a plan in a process of its own; return its exit code (-9: killed) and how many lines it came to."""
    counted = PROCESSES.Value("i", 0)
    child = PROCESSES.Process(target=_run, args=(str(root), wire.to_json(plan), event, line, counted))
    child.start()
    child.join(60)
    code = child.exitcode
    child.close()
    assert code is not None
    return code, counted.value


def last_events(root: Path) -> list[Event]:
    """The whole lines that the folder of the only run holds; none if it was killed before there is one."""
    return [
        wire.from_json(Event, line)
        for path in (root / ".osiris" / "runs").glob("*/events.jsonl")
        for line in path.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]
