"""One of the processes that compile ahead: its pipes, and what it has been asked."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from osiris_sql.compile.ahead.messages import Answer, Task

Answers = SimpleQueue[tuple["Process", Answer | None]]
"""What the processes say; None is the end of one."""


class Process:
    """A process that has been started; its answers come into a queue."""

    def __init__(self, hello: bytes, answers: Answers) -> None:
        # The folder where the command runs may hold a `json.py`: only our own path counts (-P).
        command = [sys.executable, "-P", "-m", "osiris_sql.compile.ahead.far_side"]
        # A process group of its own, so that Ctrl-C reaches us alone. A crash needs no words: its models
        # are compiled here then, where the same failure is heard.
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._answers = answers
        self.is_ready = False
        self.asked: set[str] = set()
        self.told = 0
        self._reader = Thread(target=self._read, args=(hello,), daemon=True)
        self._reader.start()

    def ask(self, task: Task) -> None:
        """Give a task; one that can't be given is answered by the end of the process."""
        self.asked.add(task.node)
        self._write(pickle.dumps(task))

    def _write(self, message: bytes) -> None:
        assert self._child.stdin is not None
        with suppress(OSError, ValueError):
            self._child.stdin.write(len(message).to_bytes(8) + message)
            self._child.stdin.flush()

    def _read(self, hello: bytes) -> None:
        # Here, because a pipe holds little and the process reads only once it has started.
        self._write(hello)
        assert self._child.stdout is not None
        with suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                self._answers.put((self, pickle.load(self._child.stdout)))  # noqa: S301 - our own process
        self._answers.put((self, None))

    def close(self) -> None:
        """End the process, and wait until it is gone."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
