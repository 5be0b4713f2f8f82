"""Who looks at models while they are compiled, so that nothing is parsed twice: lint does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.project import Project
from osiris_sql.types.relation import TableSchema

if TYPE_CHECKING:
    from osiris_sql.compile.variants import Analysed


class Onlooker(Protocol):
    """Sees each model as it is done, after those that it reads: here, or by what another process says."""

    def see(self, compiled: CompiledModel, first: Analysed) -> None:
        """Look at a model that was compiled here, by its first build."""

    def said(self, node: str) -> object:
        """Return what other processes must hear of a model; None if there is nothing."""

    def hear(self, node: str, schema: TableSchema, said: object) -> None:
        """Take what another process said of a model."""

    def end(self) -> None:
        """Keep what was seen."""


class MakeOnlooker(Protocol):
    """A function of a module, so that other processes find it too."""

    def __call__(
        self,
        project: Project,
        environ: Mapping[str, str],
        tables: Mapping[str, TableSchema],
        *,
        cache: Path | None,
    ) -> Onlooker:
        """Return one for a project whose tables have these columns; `cache` is a folder that remembers."""


Look = Callable[[Project, Mapping[str, str], Mapping[str, TableSchema]], Onlooker]
"""Makes an onlooker that remembers where it was told to."""
