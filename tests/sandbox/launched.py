"""A client in a process of its own, to be interrupted and killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from run.plans import model, plan_of

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


def main(root: Path, run_id: str, sql: str) -> int:
    plan = plan_of(model("a", "SELECT 1 AS id"), model("b", sql), model("c", "SELECT 3 AS id"))
    print("ready", flush=True)
    sinks = [Files(root / ".osiris" / "runs" / run_id), Spoken()]
    (root / ".osiris" / "runs" / run_id / "plan.json").write_text(wire.to_document(plan))
    code: int = load_plugin("launchers", "e2b")().launch(plan, root, run_id, dict(os.environ), sinks)
    for sink in sinks:
        sink.close()
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], {"endless": ENDLESS, "seconds": SECONDS}[sys.argv[3]]))
