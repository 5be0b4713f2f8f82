"""Where one size of a series is prepared: its folder, the commands of ours, peers and servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmarks.program.machine import ROOT
from benchmarks.program.peers import Peer, Peers

T = TypeVar("T")
PROGRAM = Path(sys.executable).with_name("osiris-sql")
sys.path.insert(0, str(ROOT / "tests"))  # benchmarks use the tests' servers: `from servers.mariadb import …`


@dataclass(kw_only=True)
class Servers:
    """Servers that a benchmark has asked for; each runs once, until the benchmark ends."""

    stack: ExitStack
    running: dict[object, object] = field(default_factory=dict)

    def get(self, start: Callable[[], AbstractContextManager[T]]) -> T:
        if start not in self.running:
            self.running[start] = self.stack.enter_context(start())
        return self.running[start]  # type: ignore[return-value]


@dataclass(kw_only=True)
class Place:
    """What `prepare` and `counts` may use. `folder` is empty, and removed afterwards."""

    folder: Path
    peers: Peers
    servers: Servers
    quick: bool = False

    def subfolder(self, name: str) -> Path:
        """Return a new folder in this place."""
        made = self.folder / name
        made.mkdir(parents=True)
        return made

    def peer(self, name: str) -> Peer | None:
        return self.peers.get(name)


def osiris(*words: str) -> list[str]:
    """Return a command line of ours, of this tree's code (with `environ()` as its environment)."""
    return [str(PROGRAM), *words]


def environ(**more: str) -> dict[str, str]:
    """Return the environment of a command of ours."""
    return {**plain_environ(), "PYTHONPATH": str(ROOT), **more}


def plain_environ(**more: str) -> dict[str, str]:
    """Return the environment of anybody else's command, with nothing of ours in it."""
    # A shell that keeps Python from writing bytecode would have this tree compiled anew by every command,
    # while the peers were compiled when they were installed.
    ours = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "DO_NOT_TRACK": "1", "NO_COLOR": "1", **more}
