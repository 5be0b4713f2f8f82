"""A process that answers tasks: a copy of this one where that is safe, else a new interpreter."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from osiris_sql.compile.ahead.messages import Hello

_THREADS = Path("/proc/self/task")  # Linux alone has it, and not everywhere
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Forked:
    """A copy of this process, with what `subprocess.Popen` has of a child."""

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it is gone."""
        return os.waitpid(self.pid, 0)[1]


Child = Forked | subprocess.Popen[bytes]


def start_child(hello: Hello) -> tuple[Child, bytes]:
    """Return a child, and what must be written to it first.

    It is in a process group of its own, so that Ctrl-C reaches us alone. A crash needs no words: its models
    are compiled here then, where the same failure is heard.
    """
    if _is_alone():
        return _fork(hello), b""
    # The folder where the command runs may hold a `json.py`: only our own path counts (-P).
    command = [sys.executable, "-P", "-m", "osiris_sql.compile.ahead.far_side"]
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    message = pickle.dumps(hello)
    return child, len(message).to_bytes(8) + message


def _is_alone() -> bool:
    """Say whether surely no other thread runs here, also of DuckDB: a copy would keep what it has locked."""
    return len([*_THREADS.glob("*")]) == 1


def _fork(hello: Hello) -> Forked:
    # Imported before, so that each copy has it.
    from osiris_sql.compile.ahead import compiling  # noqa: F401
    from osiris_sql.compile.ahead.far_side import answer_tasks

    tasks, ask = os.pipe()
    hear, answers = os.pipe()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    # A look for garbage would go through what is there now, and copy the memory that it stands in.
    gc.freeze()
    pid = -1
    try:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            _let_go({tasks, answers})
            with os.fdopen(tasks, "rb") as stdin, os.fdopen(answers, "wb") as stdout:
                answer_tasks(hello, stdin, stdout)
    finally:
        if pid == 0:
            os._exit(0)
        gc.unfreeze()
        os.close(tasks)
        os.close(answers)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return Forked(pid, os.fdopen(ask, "wb"), os.fdopen(hear, "rb"))


def _let_go(kept: Collection[int]) -> None:
    """Close all other files: nobody who waits for their end or their lock may wait for a copy."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    for number in [int(file.name) for file in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number not in kept:
            with suppress(OSError):  # that of the list itself is closed
                os.close(number)
