"""One of the processes that compile ahead: its pipes, and what it has been asked."""

from __future__ import annotations

import pickle
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from osiris_sql.compile.ahead.child import Child
from osiris_sql.compile.ahead.messages import Answer, Task

Answers = SimpleQueue[tuple["Process", Answer | None]]
"""What the processes say; None is the end of one."""


class Process:
    """A process that has been started; its answers come into a queue."""

    def __init__(self, child: Child, hello: bytes, answers: Answers) -> None:
        self._child = child
        self._answers = answers
        self.is_ready = False
        self.asked: set[str] = set()
        self.told = 0
        self._reader = Thread(target=self._read, args=(hello,), daemon=True)
        self._reader.start()

    def ask(self, task: Task) -> None:
        """Give a task; one that can't be given is answered by the end of the process."""
        self.asked.add(task.node)
        message = pickle.dumps(task)
        self._write(len(message).to_bytes(8) + message)

    def _write(self, words: bytes) -> None:
        assert self._child.stdin is not None
        with suppress(OSError, ValueError):
            self._child.stdin.write(words)
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
