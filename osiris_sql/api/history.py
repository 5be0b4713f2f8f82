"""The verbs for the runs that a project keeps: list them, read one, remove the old ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.event import Event
from osiris_sql.types.plan import Plan
from osiris_sql.types.result import RunResult, fold_events

LOOK_BACK = 5
"""Builds that are asked how long a step takes."""
TAIL = 1 << 16
"""Bytes in which the last event of a run mostly is."""


def list_runs(root: Path) -> list[RunResult]:
    """Return each run whose folder is still there, the latest first, without its steps and tests: only its
    first and last event are read."""
    files = (root / ".osiris" / "runs").glob("*/events.jsonl")
    heads = (fold_events(_ends(file)) for file in files)
    # Ids tell the second; the first event tells more.
    return sorted(
        (head for head in heads if head.run_id), key=lambda r: (r.started_at, r.run_id), reverse=True
    )


def read_run(root: Path, run_id: str) -> RunResult | None:
    """Return what a run did, also one that was killed; None if it said nothing."""
    try:
        text = (root / ".osiris" / "runs" / run_id / "events.jsonl").read_bytes()
    except FileNotFoundError:
        return None
    lines = [line for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
    return fold_events(wire.from_json(Event, line) for line in lines) if lines else None


def read_plan(root: Path, run_id: str) -> Plan:
    """Return the plan of a run; raises ProjectError if there is no such run."""
    try:
        return wire.from_json(Plan, (root / ".osiris" / "runs" / run_id / "plan.json").read_bytes())
    except FileNotFoundError:
        message = f'there is no run "{run_id}" in this project'
        raise ProjectError(Diagnostic(rule="no-such-run", message=message, fix="osiris-sql runs")) from None


def step_seconds(root: Path, env: str) -> dict[str, float]:
    """Return what each step that did its work took when it last did, among the latest builds of an
    environment that ended."""
    builds = (r for r in list_runs(root) if (r.env, r.command) == (env, "build") and r.status != "running")
    found: dict[str, float] = {}
    for head in islice(builds, LOOK_BACK):
        run = read_run(root, head.run_id)
        for step in run.steps if run else ():
            if step.status == "success":
                found.setdefault(step.step, step.seconds)
    return found


def remove_runs(root: Path, *, keep: int, days: int | None = None, now: datetime | None = None) -> list[str]:
    """Remove the folders of old runs and return their ids.

    The latest `keep` stay, and with `days` all that are younger. What is still needed stays too: the last
    build of each environment, a run whose sandbox can be attached, and one that has not ended within a day.
    """
    runs = list_runs(root)
    now = now or datetime.now(UTC)
    ages = {run.run_id: now - datetime.fromisoformat(run.started_at) for run in runs}
    needed = {run.run_id for run in runs[:keep]} | _needed(root, runs)
    needed |= {id_ for id_, age in ages.items() if days is not None and age < timedelta(days=days)}
    needed |= {run.run_id for run in runs if run.status == "running" and ages[run.run_id] < timedelta(days=1)}
    removed = [run.run_id for run in runs if run.run_id not in needed]
    for run_id in removed:
        shutil.rmtree(root / ".osiris" / "runs" / run_id)
    return sorted(removed)


def _needed(root: Path, runs: Iterable[RunResult]) -> set[str]:
    attached = {record.parent.name for record in (root / ".osiris" / "runs").glob("*/remote.json")}
    builds: dict[str, str] = {}
    for run in runs:
        if run.command == "build":
            builds.setdefault(run.env, run.run_id)
    return attached | set(builds.values())


def _ends(file: Path) -> list[Event]:
    """Return the first and the last event of a run, if they were written whole."""
    with file.open("rb") as stream:
        first = stream.readline()
        if not first.endswith(b"\n"):
            return []
        size = stream.seek(0, os.SEEK_END)
        last, span = b"", TAIL
        while not last and span < 2 * size + TAIL:
            stream.seek(max(len(first), size - span))
            last = _last_line(stream.read(), whole=size - span <= len(first))
            span *= 2
    return [wire.from_json(Event, line) for line in (first, last) if line]


def _last_line(tail: bytes, *, whole: bool) -> bytes:
    """Return the last whole line of the end of a file; nothing if it may begin before."""
    end = tail.rfind(b"\n")
    begin = tail.rfind(b"\n", 0, max(end, 0))
    return tail[begin + 1 : end + 1] if end >= 0 and (begin >= 0 or whole) else b""
