"""The process that compiles ahead: tasks in, answers out, both pickled; its end is that of its input."""

from __future__ import annotations

import gc
import pickle
import sys
from typing import BinaryIO

from osiris_sql.compile.ahead.messages import Answer, Hello


def main() -> None:
    """Answer tasks until there are no more."""
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    # Read before all the modules are, so that nobody waits who writes it.
    hello = _message(tasks)
    if hello is not None:
        answer_tasks(pickle.loads(hello), tasks, answers)  # noqa: S301 - from the process that started this one


def answer_tasks(hello: Hello, tasks: BinaryIO, answers: BinaryIO) -> None:
    """Answer tasks until there are no more."""
    from osiris_sql.compile.ahead.compiling import Compiling

    # It lives for a few seconds, and what it makes it mostly keeps.
    gc.set_threshold(20_000)
    compiling = Compiling(hello)
    # What is there now stays to the end: no look for garbage need go through it.
    gc.freeze()
    answer = Answer("", "ready")
    while True:
        answers.write(pickle.dumps(answer))
        answers.flush()
        task = _message(tasks)
        if task is None:
            return
        answer = compiling.answer(pickle.loads(task))  # noqa: S301


def _message(stream: BinaryIO) -> bytes | None:
    length = stream.read(8)
    return stream.read(int.from_bytes(length)) if length else None


if __name__ == "__main__":
    main()
