"""What goes between the pass and the processes that compile ahead of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from osiris_sql.compile.onlooker import MakeOnlooker
from osiris_sql.types.project import Project


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: what is compiled, what `env_var()` reads, and who looks on."""

    project: Project
    environ: Mapping[str, str]
    look: MakeOnlooker | None


News = tuple[str, bytes | None]
"""A model, and what others see of it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A model to compile, and what has become known since the last task.

    `news` has models as others see them (`Known` and what an onlooker said, pickled); None for one that can't
    be told in that way, so that who reads it compiles it too.
    """

    node: str
    news: tuple[News, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a task ended; the first answer, of no node, says that the process is ready.

    `entry` is what the cache would remember, packed; `said` is what an onlooker said, and `news` tells the
    others. A model that `waits` has a `need` that is not known yet.
    """

    node: str
    state: Literal["ready", "compiled", "failed", "waits"]
    entry: bytes | None = None
    news: bytes | None = None
    said: object = None
    need: str = ""
