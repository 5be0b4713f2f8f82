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
from osiris_sql.lint.linted_model import LintedModel, is_left, is_right

SEVERITY = "warning"

_STRICT = (
    *(exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Length),
    *(exp.Cast, exp.Paren, exp.Abs, exp.Round, exp.Year, exp.TimestampTrunc, exp.DateTrunc),
)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each condition of a WHERE that compares a column of an optional table."""
    for scope in model.scopes:
        where = scope.select.args.get("where")
        optional = _optional(model, scope)
        for condition in conjuncts(where.this) if where is not None and optional else ():
            for side in _compared(condition):
                source = model.source_of(_value_of(side), scope)
                if source in optional and source is not None:
                    yield Finding(
                        f"this filter drops the rows without {source.alias}, which LEFT would keep",
                        model.span(condition),
                        fix="put it into the ON of the join, or join without LEFT if that is meant",
                    )
                    break


def _optional(model: LintedModel, scope: Scope) -> list[Source]:
    """Return the tables of a SELECT of which a row may have none."""
    joined = model.joined(scope)
    optional = [source for source, _, join in joined if is_left(join)]
    rights = [index for index, (_, _, join) in enumerate(joined) if is_right(join)]
    return optional + [source for source, _, _ in joined[: max(rights, default=0)]]


def _value_of(side: exp.Expr) -> exp.Expr:
    """Return the value in functions that give NULL for NULL."""
    while isinstance(side, _STRICT):
        side = side.this
    return side


def _compared(condition: exp.Expr) -> list[exp.Expr]:
    if isinstance(condition, _COMPARISONS):
        return [condition.this, condition.expression]
    return [condition.this] if isinstance(condition, exp.In | exp.Between) else []
