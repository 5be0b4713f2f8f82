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
from osiris_sql.support.interrupts import interrupts_to
from osiris_sql.types.event import Event, RunFinished
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
    stop, told = _Stop(child), None
    # Raised here, Ctrl-C would cut an event in two; the child ends its run and says so.
    with interrupts_to(stop.ask):
        child.stdin.write(secrets + "\n")
        child.stdin.close()
        for line in child.stdout:
            event = wire.from_json(Event, line)
            for sink in sinks:
                sink.emit(event)
            told = event.body.exit_code if isinstance(event.body, RunFinished) else None
            stop.pass_on(running=told is None)
        ended = child.wait()
    # Asked as it says that it has ended, it may end by the signal.
    return ended if told is None else told


class _Stop:
    """Asks the child to end its run, while it runs: before and after that it would not know what to do."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child, self._asked, self._running = child, False, False

    def ask(self) -> None:
        """Ask now, or once it runs."""
        self._asked = True
        self.pass_on(running=self._running)

    def pass_on(self, *, running: bool) -> None:
        """Ask if somebody wants it."""
        self._running = running
        if self._asked and running:
            self._asked = False
            self._child.send_signal(signal.SIGINT)


PLUGIN = ChildLauncher
