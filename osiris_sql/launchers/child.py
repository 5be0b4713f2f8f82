"""Runs a plan in a child process, over the same wire as a sandbox."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from osiris_sql.protocols import Sink
from osiris_sql.support import wire
from osiris_sql.types.event import Event
from osiris_sql.types.plan import Plan


class ChildLauncher:
    """Starts `osiris_sql.worker` and follows its events."""

    name = "child"

    def prepare(self, plan: Plan, root: Path) -> Plan:
        """Return the plan as it is."""
        return plan

    def launch(
        self,
        plan: Plan,
        root: Path,
        run_id: str,
        environ: Mapping[str, str],
        sinks: Sequence[Sink],
        *,
        fail_fast: bool = False,
    ) -> int:
        """Run the plan, feed its events to `sinks` in order, and return the exit code."""
        names = {name for connection in plan.connections for name in connection.env_names}
        secrets = json.dumps({name: environ[name] for name in names if name in environ})
        with tempfile.TemporaryDirectory(prefix="osiris-plan-") as folder:
            path = Path(folder) / "plan.json"
            path.write_text(wire.to_document(plan))
            command = [sys.executable, "-m", "osiris_sql.worker", str(path), "--root", str(root)]
            command += ["--run-id", run_id, "--launcher", self.name]
            command += ["--fail-fast"] if fail_fast else []
            # Its own process group, so that Ctrl-C reaches it once, through us. The variables that
            # the plan names come through its standard input alone.
            with subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env={name: value for name, value in environ.items() if name not in names},
            ) as child:
                return _follow(child, secrets, sinks)


def _follow(child: subprocess.Popen[str], secrets: str, sinks: Sequence[Sink]) -> int:
    if child.stdin is None or child.stdout is None:
        raise AssertionError("the child was started with pipes")
    child.stdin.write(secrets + "\n")
    child.stdin.close()
    while True:
        try:
            for line in child.stdout:
                event = wire.from_json(Event, line)
                for sink in sinks:
                    sink.emit(event)
            return child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)


PLUGIN = ChildLauncher
