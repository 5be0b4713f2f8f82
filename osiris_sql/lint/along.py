"""Models linted while they are compiled, by the tree that the compiler walked.

What is found is remembered, under a key that tells all that it depends on. So a model that lint sees in
another way, once all is compiled, is linted then, as if nothing had been said.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.lint.lint import lint_model
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.reading import Reader
from osiris_sql.lint.remembered import Linted, LintMemory, identity_of
from osiris_sql.lint.surroundings import Surroundings
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.project import Project
from osiris_sql.types.relation import TableSchema

if TYPE_CHECKING:
    from osiris_sql.compile.variants import Analysed

Said = tuple[str, Linted]
"""What was found in a model, by the identity of all that it depends on."""


class LintAlong:
    """Lints each model as it is compiled; `end` remembers all findings for the lint that comes after."""

    def __init__(
        self,
        project: Project,
        environ: Mapping[str, str],
        tables: Mapping[str, TableSchema],
        cache: Path | None,
    ) -> None:
        self._config = project.lint
        self._memory = LintMemory(cache, project, environ)
        self._reader = Reader(project, Surroundings(project, tables, ()), self._memory.environ)
        self._said: dict[str, Said] = {}

    def see(self, compiled: CompiledModel, first: Analysed) -> None:
        """Lint a model, by the tree that the compiler walked if lint would see the same."""
        self._reader.around.schemas[compiled.node] = compiled.schema
        key = identity_of(self._reader.seen_by(compiled))
        linted, _ = lint_model(self._read(compiled, first), self._reader, self._config)
        self.hear(compiled.node, compiled.schema, (key, linted))

    def _read(self, compiled: CompiledModel, first: Analysed) -> LintedModel:
        readable, around = first.readable, self._reader.around
        alike = all(known.keys == around.keys.get(known.node, ()) for known in readable.tables.values())
        if first.walked is None or readable.is_spliced or not alike:
            return self._reader.read(compiled)
        text, query, walked = self._reader.texts[compiled.node], readable.query, first.walked
        return LintedModel(
            compiled,
            around,
            text,
            query.sql,
            query.tree,
            walked,
            readable.locate,
        )

    def said(self, node: str) -> Said | None:
        """Return what was found in a model."""
        return self._said.get(node)

    def hear(self, node: str, schema: TableSchema, said: object) -> None:
        """Take what was found in a model, here or in another process."""
        self._reader.around.schemas[node] = schema
        if isinstance(said, tuple):
            key, linted = self._said[node] = said
            self._reader.around.note(node, linted.learned)
            self._memory.keep(key, linted)

    def end(self) -> None:
        """Remember all that was found."""
        self._memory.save()
