"""Find filters that turn a LEFT JOIN into an inner one.

Why: for rows without a partner the columns are NULL, which no comparison keeps, so the rows that LEFT was
written for are gone.

Bad:
    select c.name, o.amount from shop.customers as c
    left join shop.orders as o on o.customer_id = c.customer_id
    where o.amount > 10

Good:
    select c.name, o.amount from shop.customers as c
    left join shop.orders as o on o.customer_id = c.customer_id and o.amount > 10
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.lineage.equations import conjuncts
from osiris_sql.compile.lineage.facts import Scope, Source
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel, is_inner, is_left, is_right

SEVERITY = "warning"

_STRICT = (
    *(exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Length),
    *(exp.Cast, exp.Paren, exp.Neg, exp.Abs, exp.Round, exp.Year, exp.TimestampTrunc, exp.DateTrunc),
)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each condition of a WHERE, or of an inner join, that needs a column of an optional table."""
    for scope in model.scopes:
        where = scope.select.args.get("where")
        optional = _optional(model, scope)
        if not optional:
            continue
        for condition in [*(conjuncts(where.this) if where is not None else ()), *_inner(model, scope)]:
            dropped = _needed(model, scope, condition) & optional
            if dropped:
                yield Finding(
                    f"this filter drops the rows without {dropped.pop().alias}, which LEFT would keep",
                    model.span(condition),
                    fix="put it into the ON of the join, or join without LEFT if that is meant",
                )


def _needed(model: LintedModel, scope: Scope, condition: exp.Expr) -> set[Source]:
    """Return tables without which a condition is not true: each of its alternatives needs them."""
    plain = condition.unnest()
    if isinstance(plain, exp.Or):
        return _needed(model, scope, plain.left) & _needed(model, scope, plain.right)
    if isinstance(plain, exp.And):
        return _needed(model, scope, plain.left) | _needed(model, scope, plain.right)
    values = [value for side in _compared(plain) for value in _values_of(side)]
    return {source for value in values if (source := model.source_of(value, scope)) is not None}


def _optional(model: LintedModel, scope: Scope) -> set[Source]:
    """Return the tables of a SELECT of which a row may have none."""
    joined = model.joined(scope)
    optional = [source for source, _, join in joined if is_left(join)]
    rights = [index for index, (_, _, join) in enumerate(joined) if is_right(join)]
    return {*optional, *(source for source, _, _ in joined[: max(rights, default=0)])}


def _inner(model: LintedModel, scope: Scope) -> list[exp.Expr]:
    """Return the conditions of inner joins that come after a LEFT one; none beside a RIGHT one."""
    joins = [join for _, _, join in model.joined(scope)]
    lefts = [index for index, join in enumerate(joins) if is_left(join)]
    inner = [join for join in joins[min(lefts, default=len(joins)) :] if join is not None and is_inner(join)]
    if any(is_right(join) for join in joins):
        return []
    return [part for join in inner if join.args.get("on") for part in conjuncts(join.args["on"])]


def _values_of(side: exp.Expr) -> list[exp.Expr]:
    """Return the values in functions that give NULL for NULL."""
    while isinstance(side, _STRICT):
        side = side.this
    if isinstance(side, _ARITHMETIC):
        return [*_values_of(side.left), *_values_of(side.right)]
    return [side]


def _compared(condition: exp.Expr) -> list[exp.Expr]:
    if isinstance(condition, exp.Not):
        inner = condition.this.unnest()
        is_null = isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null)
        return [inner.this] if is_null else [] if isinstance(inner, exp.Not) else _compared(inner)
    if isinstance(condition, _COMPARISONS):
        return [condition.this, condition.expression]
    return [condition.this] if isinstance(condition, exp.In | exp.Between) else []
