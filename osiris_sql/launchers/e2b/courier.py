"""The only thread that waits for the network; what it finds goes to the main thread, which stays awake."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from osiris_sql.launchers.e2b import failure
from osiris_sql.launchers.e2b.remote import TAIL, Heard, Remote
from osiris_sql.types.diagnostic import CancelledError, Diagnostic

QUICK, SLOW = 0.05, 0.7
BACK_OFF = 10.0
# How many seconds a sandbox lives that nobody follows: what a hobby account allows.
DETACHED = 3600


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The worker's last word; `archive` has the files that it wrote, `built` the relations, both checked."""

    status: dict[str, Any]
    archive: Path | None
    built: Path | None


@dataclass(frozen=True, kw_only=True)
class Away:
    """The worker runs, and nobody will follow it now."""


class Cancel:
    """The person asks to stop."""


Item = bytes | Ended | Away | Cancel | Exception


class Courier(threading.Thread):
    """Brings the run to the sandbox, and its events back: one line of the wire a message."""

    def __init__(
        self,
        remote: Remote,
        begin: Callable[[Courier], None],
        inbox: SimpleQueue[Item],
        folder: Path,
        *,
        lease: int,
        detach: bool = False,
    ) -> None:
        super().__init__(name="e2b", daemon=True)
        self._remote, self._begin, self._inbox, self._folder = remote, begin, inbox, folder
        self._lease, self._detach = lease, detach
        self.cancelled = threading.Event()
        self.begun = False

    def run(self) -> None:
        """Begin, follow to the end, and say how it ended."""
        try:
            self._begin(self)
            self.begun = True
            if self.cancelled.is_set():
                self._remote.terminate()
            if self._detach:
                self._remote.await_begin()
                self._remote.lease(max(self._lease, DETACHED))
                self._inbox.put(Away())
            else:
                self._inbox.put(self._follow())
        except Exception as error:  # noqa: BLE001 - it is raised again in the main thread
            self._inbox.put(error)

    def stop_if_cancelled(self) -> None:
        """Raise CancelledError once the person asked to stop: nothing has begun yet."""
        if self.cancelled.is_set():
            raise CancelledError(Diagnostic(rule="cancelled", message="cancelled before the run began"))

    def _follow(self) -> Ended:
        offset, rest, gone, pause = 0, b"", 0, QUICK
        renewed = heard_at = time.monotonic()
        while True:
            heard = self._poll(offset, heard_at)
            if heard is None:
                continue
            heard_at = time.monotonic()
            offset += len(heard.events)
            *lines, rest = (rest + heard.events).split(b"\n")
            for line in lines:
                self._inbox.put(line)
            if len(heard.events) >= TAIL:
                continue
            if heard.status is not None:
                return self._end(heard.status)
            gone = gone + 1 if heard.exit else 0
            # A worker that has just begun has no pid yet: believe the second time.
            if gone > 1:
                raise failure.crashed(heard.exit.replace("gone", ""), self._remote.examine())
            if time.monotonic() - renewed > self._lease / 5:
                self._remote.renew()
                renewed = time.monotonic()
            pause = QUICK if lines else min(SLOW, pause * 1.5)
            time.sleep(pause)

    def _poll(self, offset: int, heard_at: float) -> Heard | None:
        """Ask once; None if the link failed and the sandbox may still live."""
        try:
            return self._remote.poll(offset)
        except Exception as error:
            if failure.is_gone(error):
                raise failure.lost("the sandbox was killed, or its lease ended") from error
            silent = time.monotonic() - heard_at
            if not failure.is_passing(error):
                raise failure.explain(error, "following the run") from error
            if silent > self._lease:
                raise failure.lost(f"nothing was heard for {silent:.0f} seconds: {error}") from error
            time.sleep(min(BACK_OFF, 0.2 + silent / 4))
            return None

    def _end(self, status: dict[str, Any]) -> Ended:
        artifacts, archive, built = status.get("artifacts"), None, None
        if artifacts and artifacts["files"]:
            archive = self._folder / "artifacts.tar"
            self._remote.download("artifacts.tar", archive, artifacts["sha256"])
        if artifacts and artifacts["built"]:
            built = self._folder / "built.duckdb"
            self._remote.download("built.duckdb", built, artifacts["built"])
        return Ended(status=status, archive=archive, built=built)
