"""Single models compiled as the pass would: with what is known of the others."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import PurePosixPath

from osiris_sql.compile.ahead import tell
from osiris_sql.compile.ahead.messages import Answer, Hello, Task
from osiris_sql.compile.columns import Binder
from osiris_sql.compile.in_order import InOrder
from osiris_sql.compile.model_cache import Remembered
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.rendered_model import RenderedModel
from osiris_sql.types.project import Model


class Compiling:
    """Answers tasks."""

    def __init__(self, hello: Hello) -> None:
        binder = Binder(PurePosixPath(hello.project.warehouse).stem)
        self._kept = _Kept()
        look = partial(hello.look, cache=None) if hello.look else None
        self._pass = InOrder(hello.project, hello.environ, binder, self._kept, look)
        self._told: dict[str, bytes | None] = {}

    def answer(self, task: Task) -> Answer:
        """Return how a task ended."""
        self._told.update(task.news)
        path = [task.node]
        while path:
            need = self._pass.next_need(path[-1])
            if need is None:
                self._kept.entry = None
                self._pass.finish(path.pop())
            elif need not in self._told or need in path:
                return Answer(task.node, "waits", need=need)
            elif (news := self._told[need]) is None:
                path.append(need)
            else:
                self._pass.learn(*pickle.loads(news))  # noqa: S301 - from the process that started this one
        return self._answer(task.node, self._kept.entry)

    def _answer(self, node: str, entry: bytes | None) -> Answer:
        known, said = self._pass.known.get(node), self._pass.said(node)
        self._pass.forget(node)
        if known is None:
            return Answer(node, "failed")
        return Answer(node, "compiled", entry, tell(known, said) if entry else None, said)


class _Kept:
    """Stands where the cache stands: it knows nothing, and holds what it was given last."""

    entry: bytes | None = None

    def find_by_file(self, model: Model, keys: object) -> Remembered | None:
        return None

    def find(self, rendered: RenderedModel, keys: object, names: NodeNames) -> Remembered | None:
        return None

    def keep(self, rendered: RenderedModel, keys: object, entry: bytes) -> None:
        self.entry = entry
