"""The far side of every launcher: plan.json in, events as JSON lines out, the exit code at the end.

Secrets come as one JSON object on the first line of standard input, and stay in memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from osiris_sql.run.execute import execute
from osiris_sql.run.observe import read_state
from osiris_sql.run.parcel import write_built
from osiris_sql.support import wire
from osiris_sql.types.event import Event
from osiris_sql.types.plan import Plan


class LineSink:
    """Writes each event as one line, at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def emit(self, event: Event) -> None:
        """Write one event."""
        self._stream.write(wire.to_json(event) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to write."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plan that the command line names and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m osiris_sql.worker", description=__doc__)
    parser.add_argument("plan", type=Path, help="the plan, plan.json")
    parser.add_argument("--root", type=Path, default=Path(), help="the folder that paths start from")
    parser.add_argument("--run-id", required=True)
    parser.add_argument("--launcher", default="child")
    parser.add_argument("--fail-fast", action="store_true")
    parser.add_argument("--built", type=Path, help="where to write what was built, to be carried away")
    called = parser.parse_args(arguments)
    environ = json.loads(sys.stdin.readline() or "{}")
    # What anything else prints must not be taken for an event.
    events, sys.stdout = sys.stdout, sys.stderr
    plan = wire.from_json(Plan, called.plan.read_bytes())
    warehouse = called.root / plan.warehouse
    before = read_state(warehouse, plan.engine, while_running=False) if called.built else {}
    code = execute(
        plan,
        called.root,
        environ,
        [LineSink(events)],
        run_id=called.run_id,
        launcher=called.launcher,
        fail_fast=called.fail_fast,
    )
    if called.built:
        write_built(plan, called.root, before, called.built)
    return code


if __name__ == "__main__":
    sys.exit(main())
