"""Models compiled ahead by other processes, taken by the pass as it comes to them.

Each tells what the cache would have remembered, so the pass takes it as it takes what is remembered: after
the same checks. What no process can tell it compiles itself. So the processes decide nothing but the time.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from osiris_sql.compile.ahead.child import start_child
from osiris_sql.compile.ahead.guesses import guess_needs, in_order
from osiris_sql.compile.ahead.messages import Answer, Hello, News, Task
from osiris_sql.compile.ahead.process import Answers, Process
from osiris_sql.compile.ahead.ready import Ready
from osiris_sql.compile.onlooker import MakeOnlooker
from osiris_sql.types.project import Project

if TYPE_CHECKING:
    from osiris_sql.compile.known import Known

LEAST = 200
"""Fewer models are compiled before a process has started."""

LEAST_AT_ONCE = 400
"""Where nothing is remembered, so many are worth processes before the first is compiled."""

NEW_AT_FIRST = 20
"""So many of the first models must be new: after an edit they are remembered, all but a few."""

MOST_PROCESSES = 4
_FEW_ASKED, _MOST_ASKED = 4, 16


class Ahead:
    """The models that other processes compile; none is started until it pays."""

    def __init__(
        self,
        project: Project,
        environ: Mapping[str, str],
        only: Collection[str] | None,
        look: MakeOnlooker | None = None,
    ) -> None:
        self._project = project
        self._environ = environ
        self._look = look
        self._roots = [m.node for m in project.models if only is None or m.node in only]
        self._may_start = len(project.models) >= LEAST and _processors() > 1 and bool(sys.executable)
        self._new, self._old = 0, 0
        self._ready = Ready((), {})
        self._processes: list[Process] = []
        self._answers = Answers()
        self._compiled: dict[str, Answer] = {}
        self._held: dict[str, tuple[Known, object, bool]] = {}
        self._told: set[str] = set()
        self._news: list[News] = []

    def start(self) -> None:
        """Start the processes at once: nothing is remembered. They come up while this one loads the rest."""
        if self._may_start and len(self._roots) >= LEAST_AT_ONCE:
            self._may_start = False
            self._start()

    def take(self, node: str) -> Answer | None:
        """Return what a model came to, its entry as the cache keeps it; None if it must be compiled here."""
        while not self._answers.empty():
            self._hear()
        while node not in self._ready.settled and any(process.asked for process in self._processes):
            self._hear()
        return self._compiled.pop(node, None)

    def note(self, known: Known, said: object, *, is_lasting: bool, is_new: bool) -> None:
        """Tell the processes of a model that is done, and what an onlooker said of it; `is_new` if it was
        compiled here, not remembered."""
        if self._processes:
            if known.node not in self._told:
                self._settle(known.node, tell(known, said) if is_lasting else None)
        elif self._may_start and known.node not in self._held:
            # Told when a process starts: mostly none does.
            # What is never remembered says nothing of how much is.
            self._held[known.node] = (known, said, is_lasting)
            self._new += is_new and is_lasting
            self._old += not is_new
            if self._new >= NEW_AT_FIRST:
                self._may_start = False
                if self._new >= self._old:
                    self._start()

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()

    def _start(self) -> None:
        if len(self._roots) - len(self._held) >= LEAST:
            self._start_processes()
        needs = guess_needs(self._project.models)
        order = in_order(self._roots, needs)
        if not self._processes and len(order) - len(self._held) >= LEAST:
            self._start_processes()
        self._told = {*self._held}
        for known, said, is_lasting in self._held.values():
            self._news.append((known.node, tell(known, said) if is_lasting else None))
        self._ready = Ready([node for node in order if node not in self._told], needs, self._told)

    def _start_processes(self) -> None:
        hello = Hello(self._project, dict(self._environ), self._look)
        # All are there before the threads that listen to them: who has threads can't be copied.
        children = [start_child(hello) for _ in range(min(_processors(), MOST_PROCESSES))]
        self._processes += [Process(*child, self._answers) for child in children]

    def _hear(self) -> None:
        process, answer = self._answers.get()
        if answer is None:
            self._processes.remove(process)
            process.close()
            self._ready.again(process.asked)
        else:
            self._note(process, answer)
        self._feed()

    def _note(self, process: Process, answer: Answer) -> None:
        process.is_ready = True
        process.asked.discard(answer.node)
        if answer.state == "failed":
            self._ready.fail(answer.node)
        elif answer.state == "waits":
            self._ready.wait(answer.node, answer.need)
        elif answer.state == "compiled":
            if answer.entry is not None:
                self._compiled[answer.node] = answer
            self._settle(answer.node, answer.news, process)

    def _settle(self, node: str, news: bytes | None, by: Process | None = None) -> None:
        if node not in self._told:
            self._told.add(node)
            self._news.append((node, news))
        self._ready.settle(node, by)
        self._feed()

    def _feed(self) -> None:
        """Give each process enough to do, so that none waits for us; the idlest first.

        What one gets stands together in the order, so it mostly reads what this very process has compiled.
        """
        for process in sorted(self._processes, key=lambda process: len(process.asked)):
            if process.is_ready and len(process.asked) <= _FEW_ASKED:
                share = max(1, len(self._ready) // len(self._processes))
                for _ in range(min(share, _MOST_ASKED - len(process.asked))):
                    if (node := self._ready.pop(process)) is not None:
                        process.ask(Task(node, tuple(self._news[process.told :])))
                        process.told = len(self._news)


def tell(known: Known, said: object) -> bytes:
    """Return a model as others see it, with what an onlooker said of it.

    It must be one that lasts: of others they need the text, or types that no table has.
    """
    return pickle.dumps((known, said))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
