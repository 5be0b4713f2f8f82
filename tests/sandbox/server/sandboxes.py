"""The sandboxes that live, each with a folder, an account and a lease."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.server.jail import HOME, ROOTED, kill_account
from sandbox.server.limits import Limits, release
from sandbox.server.processes import Processes

# A range of accounts of this test process alone; none of them exists in /etc/passwd.
FIRST_UID = 200_000 + os.getpid() % 20_000 * 100


@dataclass
class Sandbox:
    """One machine: `home` is its /home/user on this one."""

    id: str
    token: str
    template: str
    metadata: dict[str, str]
    environ: dict[str, str]
    home: Path
    uid: int
    asked: dict[str, Any]
    started_at: datetime
    end_at: datetime
    memory_mb: int = 4096
    processes: Processes = field(init=False)
    alive: bool = True

    def __post_init__(self) -> None:
        self.processes = Processes(self)

    def lease(self, seconds: float) -> None:
        """Live so long from now on."""
        self.end_at = datetime.now(UTC) + timedelta(seconds=seconds)

    def lengthen(self, seconds: float) -> None:
        """Live at least so long from now on."""
        self.end_at = max(self.end_at, datetime.now(UTC) + timedelta(seconds=seconds))

    def outside(self, path: str) -> Path:
        """Return where a path of the sandbox is on this machine; relative ones start at home."""
        if path.startswith("~"):
            path = HOME + path[1:]
        inside = os.path.normpath(Path(HOME) / path)
        return self.home / os.path.relpath(inside, HOME) if inside.startswith(HOME) else Path(inside)


class Sandboxes:
    """Every sandbox that was made; a reaper ends those whose lease is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.limits = Limits()
        self._lock = threading.RLock()
        self._keys: dict[str, tuple[str, Sandbox]] = {}
        self._stop = threading.Event()
        self.every: list[Sandbox] = []
        self._reaper = threading.Thread(target=self._reap, daemon=True)
        self._reaper.start()

    def create(self, asked: dict[str, Any], key: str) -> Sandbox | None:
        """Return a new sandbox, or the one that the same key made; None if it was asked differently."""
        with self._lock:
            text = json.dumps(asked, sort_keys=True)
            if key in self._keys:
                before, made = self._keys[key]
                return made if before == text else None
            number = len(self.every)
            home = self.folder / f"sandbox{number}"
            home.mkdir(parents=True)
            uid = FIRST_UID + number
            self.limits.apply(home, uid)
            if ROOTED:
                os.chown(home, uid, uid)
            now = datetime.now(UTC)
            sandbox = Sandbox(
                id=f"i{secrets.token_hex(9)}",
                token=secrets.token_hex(16),
                template=asked["templateID"],
                metadata=asked.get("metadata", {}),
                environ=asked.get("envVars", {}),
                home=home,
                uid=uid,
                asked=asked,
                started_at=now,
                end_at=now + timedelta(seconds=asked.get("timeout", 300)),
                memory_mb=self.limits.told_mb,
            )
            self.every.append(sandbox)
            if key:
                self._keys[key] = (text, sandbox)
            return sandbox

    def running(self) -> list[Sandbox]:
        """Return those that live."""
        with self._lock:
            return [sandbox for sandbox in self.every if sandbox.alive]

    def find(self, id_: str) -> Sandbox | None:
        """Return a living sandbox."""
        return next((sandbox for sandbox in self.running() if sandbox.id == id_), None)

    def kill(self, sandbox: Sandbox) -> None:
        """End a sandbox and everything that runs in it; its files stay for those who look for secrets."""
        sandbox.alive = False
        sandbox.processes.kill_all()
        kill_account(sandbox.uid)

    def close(self) -> None:
        """End all of them and remove their files."""
        self._stop.set()
        self._reaper.join()
        for sandbox in self.running():
            self.kill(sandbox)
        for sandbox in self.every:
            release(sandbox.home, sandbox.uid)
            shutil.rmtree(sandbox.home, ignore_errors=True)

    def _reap(self) -> None:
        while not self._stop.wait(0.05):
            for sandbox in self.running():
                if datetime.now(UTC) >= sandbox.end_at:
                    self.kill(sandbox)
