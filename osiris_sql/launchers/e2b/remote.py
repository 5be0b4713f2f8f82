"""The calls to one sandbox. All of them may wait for the network, so none runs in the main thread."""

from __future__ import annotations

import hashlib
import json
import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris_sql.launchers.e2b.account import open_client
from osiris_sql.launchers.e2b.cargo import Cargo
from osiris_sql.launchers.e2b.failure import Evidence, explain, insist
from osiris_sql.launchers.e2b.options import Options, template_of
from osiris_sql.launchers.e2b.room import Machine

if TYPE_CHECKING:
    from e2b import Sandbox, SandboxNetworkOpts

FOLDER = "osiris"
TAIL = 1_000_000
# Seconds after which a call that only looks is given up: a silent link is as bad as a cut one.
LOOK = 20

# The exit code (or "gone"), then the last word, then the events: in this order nothing is missed.
# On a full disk the file of the exit code is empty.
POLL = f"""cd {FOLDER}/run || exit 0
echo "$(grep . exit 2>/dev/null || kill -0 "$(cat pid)" 2>/dev/null || echo gone)"
cat status.json 2>/dev/null
echo; tail -c +%d events.jsonl 2>/dev/null | head -c {TAIL}
true"""

DISK = "df --block-size=1 --output=avail . | tail -n 1"
# Bytes under which a disk is full: an event or a log line did not fit any more.
FULL = 1 << 20

# Whether the kernel has killed for want of memory since the run began; the free disk; the end of the log.
EXAMINE = f"""cd {FOLDER}
grep '^oom_kill ' /proc/vmstat | cmp -s - run/kills && echo same || echo more
{DISK}
tail -c 4096 run/worker.log"""

# `mkdir` succeeds once, so a start that is repeated does nothing.
START = f"""cd {FOLDER} && mkdir run || exit 0
echo $$ >run/pid
grep '^oom_kill ' /proc/vmstat >run/kills
if echo '%s  boot.py' | sha256sum --check --status; then
  %s -I -u boot.py >run/worker.log 2>&1
  echo $? >run/exit.part
else
  echo 'boot.py is not the file that was sent' >run/worker.log; echo 3 >run/exit.part
fi
mv run/exit.part run/exit"""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What one poll found: `exit` is the worker's exit code, "gone", or "" while it runs."""

    exit: str
    status: dict[str, Any] | None
    events: bytes


class Remote:
    """One sandbox, made or found again."""

    def __init__(self, options: Options) -> None:
        self._client = open_client(options)
        self._options = options
        self._sandbox: Sandbox | None = None
        self.abandoned = False

    @property
    def id(self) -> str:
        """The sandbox's id, "" if there is none."""
        return self._sandbox.sandbox_id if self._sandbox else ""

    def create(self, run_id: str, metadata: Mapping[str, str]) -> None:
        """Make the sandbox; the run's id is the key, so asking again never makes a second one."""

        def ask() -> Sandbox:
            return self._client.Sandbox.create(
                template_of(self._options),
                timeout=self._options.lease,
                metadata={**self._options.labels, "osiris_run_id": run_id, **metadata},
                allow_internet_access=self._options.internet,
                network=_network(self._options),
                idempotency_key=run_id.lower(),
            )

        self._sandbox = insist(ask, "making a sandbox")
        if self.abandoned:
            self.kill()

    def connect(self, sandbox_id: str) -> None:
        """Find a sandbox again."""
        self._sandbox = insist(
            lambda: self._client.Sandbox.connect(sandbox_id, timeout=self._options.lease),
            "looking for the sandbox",
        )

    def describe(self) -> Machine:
        """Return what the sandbox has of memory and disk."""
        info = insist(lambda: self._live.get_info(), "looking at the sandbox")
        free = insist(lambda: self._live.commands.run(DISK, timeout=LOOK).stdout or "", "looking at its disk")
        return Machine(memory_mb=info.memory_mb, free_disk=int(free))

    def has_begun(self) -> bool:
        """Say whether the worker was started here."""
        return insist(lambda: self._live.files.exists(f"{FOLDER}/run"), "looking at the run")

    def await_begin(self) -> None:
        """Return once the worker was started; raises UnreachableError if it is not in half a minute."""
        deadline = time.monotonic() + 30
        while not self.has_begun():
            if time.monotonic() > deadline:
                raise explain(TimeoutError("the worker did not start"), "starting the worker")
            time.sleep(0.1)

    def upload(self, cargo: Cargo) -> None:
        """Send everything: small files in one request, big ones streamed."""
        files = self._live.files
        entries: list[Any] = [
            {"path": f"{FOLDER}/{path}", "data": data} for path, data in cargo.small.items()
        ]
        entries.append({"path": f"{FOLDER}/project/.osiris/.keep", "data": b""})
        insist(lambda: files.write_files(entries), "sending plan and code")
        for path, local in cargo.big.items():
            insist(lambda p=path, f=local: self._send(p, f), f"sending {path}")  # type: ignore[misc]

    def _send(self, path: str, local: Path) -> None:
        with local.open("rb") as file:
            self._live.files.write(f"{FOLDER}/{path}", file)

    def start(self, cargo: Cargo, environ: Mapping[str, str]) -> None:
        """Start the worker; the variables go through its standard input, nowhere else."""
        order = json.dumps(
            {"manifest_sha256": cargo.manifest_sha256, "environ": dict(environ), "now": time.time()}
        )
        command = START % (cargo.boot_sha256, shlex.quote(self._options.python))

        def begin() -> None:
            handle = self._live.commands.run(command, background=True, stdin=True, timeout=0)
            self._live.commands.stream_input(handle.pid, [order + "\n"])
            self._live.commands.close_stdin(handle.pid)
            handle.disconnect()

        try:
            begin()
        except Exception as error:
            raise explain(error, "starting the worker") from error

    def poll(self, offset: int) -> Heard:
        """Return what there is to hear from a byte of the events on; raises what the SDK raises."""
        done = self._live.commands.run(POLL % (offset + 1), timeout=LOOK)
        exit_, _, rest = (done.stdout or "").partition("\n")
        status, _, events = rest.partition("\n")
        return Heard(exit=exit_, status=json.loads(status) if status else None, events=events.encode())

    def renew(self) -> None:
        """Let the sandbox live on; a failure shows at the next poll."""
        with suppress(Exception):
            self._live.set_timeout(self._options.lease)

    def lease(self, seconds: int) -> None:
        """Let the sandbox live so long from now on, also when nobody asks for it."""
        insist(lambda: self._live.set_timeout(seconds), "renewing the lease")

    def terminate(self) -> None:
        """Ask the worker to cancel the run."""
        with suppress(Exception):
            self._live.commands.run(f"kill -TERM $(cat {FOLDER}/run/worker.pid)", timeout=10)

    def examine(self) -> Evidence:
        """Return what is found where a worker ended without its last word."""
        try:
            found = self._live.commands.run(EXAMINE, timeout=LOOK).stdout or ""
        except Exception as error:  # noqa: BLE001 - this is only there to explain another failure
            return Evidence(log=f"(the log can't be read: {error})")
        kills, _, rest = found.partition("\n")
        free, _, log = rest.partition("\n")
        return Evidence(log=log, lacked_memory=kills == "more", lacked_disk=int(free) < FULL)

    def download(self, path: str, local: Path, sha256: str) -> None:
        """Fetch a file of the run and check it."""
        insist(lambda: self._fetch(path, local), f"fetching {path}")
        with local.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise explain(ValueError(f"{path} arrived as {found}, was {sha256}"), "fetching the results")

    def _fetch(self, path: str, local: Path) -> None:
        with local.open("wb") as file:
            for piece in self._live.files.read(f"{FOLDER}/run/{path}", format="stream"):
                file.write(piece)

    def kill(self) -> None:
        """End the sandbox; one that is gone already is fine. The lease ends it if this call can't."""
        self.abandoned = True
        if self._sandbox:
            with suppress(Exception):
                self._sandbox.kill(request_timeout=10)

    @property
    def _live(self) -> Sandbox:
        if self._sandbox is None:
            raise AssertionError("the sandbox is made or found first")
        return self._sandbox


def _network(options: Options) -> SandboxNetworkOpts | None:
    """Ports other than 80 and 443 can be told only by address, so databases need CIDRs."""
    allowed = [place.strip() for place in options.allow_out.split(",") if place.strip()]
    return {"allow_out": allowed, "deny_out": ["0.0.0.0/0"]} if allowed else None
