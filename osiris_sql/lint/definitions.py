"""What stands behind a column of a CTE or subquery: the expression there, and its SELECT."""

from __future__ import annotations

from sqlglot import exp

from osiris_sql.compile.lineage.facts import Atom, Col, Scope, Source
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.nulls import query_of


def scope_behind(model: LintedModel, scope: Scope, source: Source) -> Scope | None:
    """Return the SELECT that a source of another is; None for a table, a set operation, a PIVOT."""
    inner = query_of(model, scope, source)
    behind = model.walk.scopes.get(id(inner)) if isinstance(inner, exp.Select) else None
    return behind if behind and len(behind.outputs) == len(source.relation.columns) else None


def output_behind(behind: Scope, atom: Atom) -> tuple[exp.Expr | None, Col] | None:
    """Return what the SELECT behind a source gives as one of its columns."""
    source, name = atom
    pairs = zip(source.relation.columns, behind.outputs, strict=True)
    return next((output for column, output in pairs if (column.name or "").lower() == name), None)


def definition(model: LintedModel, node: exp.Expr) -> exp.Expr | None:
    """Return the expression that a name stands for, of the SELECT list at hand or of those behind it."""
    scope = model.scope_of(node)
    column = model.column(node)
    if scope is None or column is None or not isinstance(node, exp.Column):
        return None
    if column.origin is None:
        made = None if node.table else scope.alias_nodes.get(node.name.lower())
    else:
        behind = scope_behind(model, scope, column.origin[0])
        made, _ = (output_behind(behind, column.origin) if behind else None) or (None, None)
    return made if made is None else definition(model, made) or made
