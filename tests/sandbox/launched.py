"""A client in a process of its own, to be interrupted and killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from run.plans import model, plan_of
from sandbox.plans import film_plan

from osiris_sql.sinks.files import Files
from osiris_sql.support import wire
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.event import Event

ENDLESS = (
    "SELECT count(*)::INTEGER AS id FROM range(100000) a, range(100000) b WHERE hash(a.range, b.range) = 1"
)
SECONDS = (
    "SELECT count(*)::INTEGER AS id FROM range(16000) a, range(16000) b WHERE hash(a.range, b.range) = 1"
)


class Spoken:
    """A sink that prints the kind of each event."""

    def emit(self, event: Event) -> None:
        print(event.body.kind, getattr(event.body, "step", ""), flush=True)

    def close(self) -> None:
        pass


class Killed:
    """A sink that ends this process at one event, as `kill -9` does: at its number, or at the `end`."""

    def __init__(self, at: str) -> None:
        self._at = at

    def emit(self, event: Event) -> None:
        if self._at == ("end" if event.body.kind == "run_finished" else str(event.seq)):
            os.kill(os.getpid(), signal.SIGKILL)

    def close(self) -> None:
        pass


def main(root: Path, run_id: str, sql: str) -> int:
    if sql == "films":
        plan = film_plan(root)
    else:
        plan = plan_of(model("a", "SELECT 1 AS id"), model("b", sql), model("c", "SELECT 3 AS id"))
    print("ready", flush=True)
    sinks = [Files(root / ".osiris" / "runs" / run_id), Spoken()]
    for name, place in (("KILL_BEFORE", 0), ("KILL_AFTER", 2)):
        if name in os.environ:
            sinks.insert(place, Killed(os.environ[name]))
    (root / ".osiris" / "runs" / run_id / "plan.json").write_text(wire.to_document(plan))
    code: int = load_plugin("launchers", "e2b")().launch(plan, root, run_id, dict(os.environ), sinks)
    for sink in sinks:
        sink.close()
    return code


if __name__ == "__main__":
    sys.exit(
        main(
            Path(sys.argv[1]),
            sys.argv[2],
            {"endless": ENDLESS, "seconds": SECONDS, "quick": "SELECT 2 AS id"}.get(sys.argv[3], "films"),
        )
    )
