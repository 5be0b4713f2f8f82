"""Which columns of a query may hold NULL, as far as that follows from its inputs."""

from __future__ import annotations

from sqlglot import exp

from osiris_sql.compile.lineage.equations import conjuncts
from osiris_sql.compile.lineage.facts import Scope, Source
from osiris_sql.lint.linted_model import LintedModel

_REJECTING = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.In, exp.Between)


def null_columns(model: LintedModel) -> frozenset[str]:
    """Return the columns of a model's query, in lower case, that hold NULL where an input does.

    Computed values are left out: of them nothing is said.
    """
    tree = model.tree
    return query_nulls(model, tree) if tree is not None else frozenset()


def query_nulls(model: LintedModel, query: exp.Expr) -> frozenset[str]:
    """Return the columns of a query that may hold NULL; none where it is no plain SELECT."""
    select = query.unnest() if isinstance(query, exp.Subquery) else query
    if isinstance(select, exp.Union) and select.expression.named_selects:
        names = zip(select.this.named_selects, select.expression.named_selects, strict=False)
        left, right = query_nulls(model, select.this), query_nulls(model, select.expression)
        return frozenset(a.lower() for a, b in names if a.lower() in left or b.lower() in right)
    scope = model.walk.scopes.get(id(select))
    if scope is None:
        return frozenset()
    known = model.nulls.get(id(select))
    if known is None:
        known = model.nulls[id(select)] = _select_nulls(model, select, scope)
    return known


def _select_nulls(model: LintedModel, select: exp.Expr, scope: Scope) -> frozenset[str]:
    found = set[str]()
    for item in select.expressions:
        inner = item.unalias()
        if isinstance(inner, exp.Nullif):
            found.add(item.output_name.lower())
        while isinstance(inner, exp.Cast):
            inner = inner.this
        if isinstance(inner, exp.Star) and len(scope.sources) == 1:
            found |= {n for n in scope.sources[0].names if may_be_null(model, scope, scope.sources[0], n)}
        column = model.column(inner)
        if column is not None and column.origin is not None and column.origin[0] in scope.sources:
            source, name = column.origin
            if may_be_null(model, scope, source, name):
                found.add(item.output_name.lower())
    return frozenset(found)


def may_be_null(model: LintedModel, scope: Scope, source: Source, name: str) -> bool:
    """Say whether a column of a source is known to hold NULL in some row of the SELECT, or may."""
    if _is_rejected(model, scope, source, name):
        return False
    if _is_optional(model, scope, source):
        return True
    node = source.relation.node
    if node is not None:
        return name in model.around.nulls.get(node, frozenset())
    inner = query_of(model, scope, source)
    return inner is not None and name in query_nulls(model, inner)


def _is_optional(model: LintedModel, scope: Scope, source: Source) -> bool:
    """Say whether a row of the SELECT may have no row of a source."""
    joined = model.joined(scope)
    place = next((index for index, (added, _, _) in enumerate(joined) if added is source), len(joined))
    sides = [str(join.args.get("side") or "") if join else "" for _, _, join in joined[place:]]
    return sides[:1] == ["LEFT"] or "FULL" in sides or "RIGHT" in sides[1:]


def query_of(model: LintedModel, scope: Scope, source: Source) -> exp.Expr | None:
    """Return the query of a CTE or subquery that a source is."""
    item = next((item for added, item, _ in model.joined(scope) if added is source), None)
    if isinstance(item, exp.Subquery):
        return item.this if isinstance(item.this, exp.Select) else None
    cte = cte_of(item) if isinstance(item, exp.Table) and not item.args.get("pivots") else None
    return cte.this if cte is not None else None


def cte_of(table: exp.Table) -> exp.CTE | None:
    """Return the CTE that a table name means, of those that are written before it; None if it means none."""
    here: exp.Expr | None = table
    inside: exp.Expr | None = None
    while here is not None and not table.db:
        inside = here if isinstance(here, exp.CTE) else inside
        clause = here.args.get("with_")
        if not isinstance(clause, exp.With):
            here = here.parent
            continue
        for cte in clause.expressions:
            if cte is inside:
                break
            if cte.alias.lower() == table.name.lower():
                return None if clause.args.get("recursive") or cte.args["alias"].columns else cte
        here = here.parent
    return None


def _is_rejected(model: LintedModel, scope: Scope, source: Source, name: str) -> bool:
    """Say whether WHERE or an inner join leaves out the rows in which a column is NULL."""
    clauses = [scope.select.args.get(key) for key in ("where", "having", "qualify")]
    conditions = [part for clause in clauses if clause is not None for part in conjuncts(clause.this)]
    for join in scope.select.args.get("joins") or []:
        if not str(join.args.get("side") or "") and join.args.get("on") is not None:
            conditions += conjuncts(join.args["on"])
        if name in {column.name.lower() for column in join.args.get("using") or []}:
            return True
    return any(_rejects(model, condition, source, name) for condition in conditions)


def _rejects(model: LintedModel, condition: exp.Expr, source: Source, name: str) -> bool:
    """Say whether a condition holds for no row in which a column is NULL; what is not sure counts."""
    condition = condition.unnest()
    if isinstance(condition, exp.Or):
        return all(_rejects(model, part, source, name) for part in (condition.left, condition.right))
    if isinstance(condition, exp.And):
        return any(_rejects(model, part, source, name) for part in (condition.left, condition.right))
    if isinstance(condition, exp.Boolean):
        return not condition.this
    if isinstance(condition, exp.Not) and isinstance(inner := condition.this.unnest(), exp.Is):
        sides = [inner.this] if isinstance(inner.expression, exp.Null) else []
    elif isinstance(condition, exp.NullSafeNEQ) and isinstance(condition.expression, exp.Null):
        sides = [condition.this]
    elif isinstance(condition, _REJECTING):
        sides = [condition.this, *filter(None, [condition.args.get("expression")])]
    else:
        return False
    return any(_names(model, side, source, name) for side in sides)


def _names(model: LintedModel, node: exp.Expr, source: Source, name: str) -> bool:
    columns = map(model.column, node.find_all(exp.Column))
    return any(column is not None and column.origin == (source, name) for column in columns)
