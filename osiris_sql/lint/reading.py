"""From compiled models to what rules read: each rendered, parsed and walked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError

from osiris_sql.compile.lineage import walk_query
from osiris_sql.compile.render import Renderer
from osiris_sql.compile.rendering import NeedsSchemaError
from osiris_sql.compile.tokens import tokenize
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.nulls import null_columns
from osiris_sql.lint.remembered import Learned
from osiris_sql.lint.surroundings import Surroundings
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import Project

_DUCKDB = Dialect.get_or_raise("duckdb")
# The only question that is asked of them.
_NOT_IN = re.compile(r"not\s+(\(?[\w.\"]+\s+)?in\b|(<>|!=)\s*all\b|=\s*any\b")


class Reader:
    """Reads the models of a project, one at a time, in build order."""

    def __init__(self, project: Project, around: Surroundings, environ: Mapping[str, str]) -> None:
        self.around = around
        self.texts = {model.node: model.text for model in project.models}
        self._renderer = Renderer(project, environ=environ, schema_of=self.around.schemas.get)
        texts = (*self.texts.values(), *(macros.text for macros in project.macros))
        self._asks_nulls = any(_NOT_IN.search(text.lower()) for text in texts)

    def seen_by(self, compiled: CompiledModel) -> object:
        """Return all that what is found in a model, and learned of it, depends on."""
        text = self.texts[compiled.node]
        return compiled, text, self.around.seen_by(compiled), self._asks_nulls

    def read(self, compiled: CompiledModel) -> LintedModel:
        """Return a model as rules read it; those above it were read or noted before."""
        return _read(compiled, self.around, self._renderer, self.texts[compiled.node])

    def read_increment(self, first: LintedModel) -> LintedModel | None:
        """Return an incremental model as its increments run, if that is another text than its first build."""
        compiled = first.compiled
        if compiled.increment_sql is None or compiled.config.microbatch:
            return None
        text = self.texts[compiled.node]
        model = _read(compiled, self.around, self._renderer, text, incremental=True)
        return model if model.sql != first.sql else None

    def learn(self, model: LintedModel) -> Learned:
        """Return what a model says of itself to those below."""
        nulls = null_columns(model) if self._asks_nulls and model.tree is not None else frozenset()
        grouped = any(model.nodes(exp.Group, exp.Distinct, exp.SetOperation))
        return self.around.learned(model.compiled, model.relation, nulls, grouped=grouped)


def with_all_above(chosen: Collection[str], manifest: Manifest) -> set[str]:
    """Return some nodes and all that they read, directly or not."""
    needs = {model.node: model.needs for model in manifest.models}
    found, rest = set[str](), list(chosen)
    while rest:
        node = rest.pop()
        if node not in found:
            found.add(node)
            rest += needs.get(node, ())
    return found


def _read(
    compiled: CompiledModel,
    around: Surroundings,
    renderer: Renderer,
    text: str,
    *,
    incremental: bool = False,
) -> LintedModel:
    nothing = LintedModel(compiled, around, text)
    try:
        rendered = renderer.render(compiled.path, text, name=compiled.name, incremental=incremental)
    except NeedsSchemaError:
        return nothing
    if rendered.sql is None:
        return nothing
    sql = rendered.sql
    tree = _parse(sql)
    if tree is None:
        return LintedModel(compiled, around, text, sql, locate=rendered.locate)
    inputs = around.inputs((*compiled.needs, compiled.node) if incremental else compiled.needs)
    try:
        walked = walk_query(sql, tree, inputs)
    except RecursionError:
        return LintedModel(compiled, around, text, sql, locate=rendered.locate)
    return LintedModel(
        compiled,
        around,
        text,
        sql,
        tree,
        walked,
        rendered.locate,
        is_plain=rendered.is_plain,
    )


def _parse(sql: str) -> exp.Expr | None:
    try:
        trees = _DUCKDB.parser().parse(list(tokenize(sql) or ()), sql)
    except (SqlglotError, RecursionError):
        return None
    found = [tree for tree in trees if tree is not None]
    return found[0] if len(found) == 1 and isinstance(found[0], exp.Query | exp.Values) else None
