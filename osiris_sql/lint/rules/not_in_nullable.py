"""Find NOT IN over values that may be NULL.

Why: one NULL among them, and NOT IN is true for no row: the model is empty, without an error.

Bad:
    select name from shop.customers where customer_id not in (select customer_id from shop.orders)

Good:
    select name from shop.customers as c
    where not exists (select 1 from shop.orders as o where o.customer_id = c.customer_id)
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.nulls import query_nulls

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each NOT IN with NULL in its list, or with a query of one column that inputs make NULL.

    `<> ALL` and NOT `= ANY` are NOT IN too.
    """
    for node, value, query in _negated(model):
        if any(isinstance(listed, exp.Null) for listed in node.expressions):
            yield Finding("NOT IN with a NULL is true for no row", model.span(node), fix="leave NULL out")
        elif query is not None and (nulls := query_nulls(model, query)):
            yield Finding(
                f"NOT IN is true for no row once {min(nulls)} is NULL in one",
                model.span(value),
                why=f"{min(nulls)} may be NULL in this query",
                fix="write NOT EXISTS (SELECT …), or filter with IS NOT NULL inside",
            )


def _negated(model: LintedModel) -> Iterator[tuple[exp.Expr, exp.Expr, exp.Expr | None]]:
    """Yield each such comparison, its value, and the query that the value is compared with."""
    for negated in model.nodes(exp.Not):
        if isinstance(inside := negated.this.unnest(), exp.In):
            yield inside, inside.this, inside.args.get("query")
        elif isinstance(inside, exp.EQ) and isinstance(one := inside.expression, exp.Any):
            yield inside, inside.this, one.this
    for unequal in model.nodes(exp.NEQ):
        if isinstance(every := unequal.expression, exp.All):
            yield unequal, unequal.this, every.this
