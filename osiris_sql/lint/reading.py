"""From compiled models to what rules read: each rendered, parsed and walked, in build order."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError

from osiris_sql.compile.lineage import walk_query
from osiris_sql.compile.render import Renderer
from osiris_sql.compile.rendering import NeedsSchemaError
from osiris_sql.compile.tokens import tokenize
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.nulls import null_columns
from osiris_sql.lint.surroundings import Surroundings
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import Project

_DUCKDB = Dialect.get_or_raise("duckdb")
# The only question that is asked of them.
_NOT_IN = re.compile(r"\bnot\s+in\b", re.IGNORECASE)


def read_models(project: Project, manifest: Manifest, chosen: Collection[str]) -> Iterator[LintedModel]:
    """Yield the chosen models in build order; those above them are read too, for their keys.

    One model is held at a time.
    """
    around = Surroundings(project, manifest)
    texts = {model.node: model.text for model in project.models}
    renderer = Renderer(project, schema_of=around.schemas.get)
    wanted = _with_all_above(chosen, manifest)
    asks_nulls = any(_NOT_IN.search(text) for text in (*texts.values(), *(m.text for m in project.macros)))
    for compiled in manifest.models:
        if compiled.node not in wanted:
            continue
        model = _read(compiled, around, renderer, texts[compiled.node])
        nulls = null_columns(model) if asks_nulls and model.tree is not None else frozenset()
        grouped = any(model.nodes(exp.Group, exp.Distinct, exp.SetOperation))
        around.learn(compiled, model.relation, nulls, grouped=grouped)
        if compiled.node in chosen:
            yield model


def _with_all_above(chosen: Collection[str], manifest: Manifest) -> set[str]:
    needs = {model.node: model.needs for model in manifest.models}
    found, rest = set[str](), list(chosen)
    while rest:
        node = rest.pop()
        if node not in found:
            found.add(node)
            rest += needs.get(node, ())
    return found


def _read(compiled: CompiledModel, around: Surroundings, renderer: Renderer, text: str) -> LintedModel:
    nothing = LintedModel(compiled, around, text)
    try:
        rendered = renderer.render(compiled.path, text, name=compiled.name)
    except NeedsSchemaError:
        return nothing
    if rendered.sql is None:
        return nothing
    sql = rendered.sql
    tree = _parse(sql)
    if tree is None:
        return LintedModel(compiled, around, text, sql, locate=rendered.locate)
    inputs = around.inputs(compiled.needs)
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
        walked.walk,
        walked.relation,
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
