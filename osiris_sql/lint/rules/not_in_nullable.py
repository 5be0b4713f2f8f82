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
    """Yield each NOT IN with NULL in its list, or with a query of one column that inputs make NULL."""
    for negated in model.nodes(exp.Not):
        inside = negated.this.unnest()
        if not isinstance(inside, exp.In):
            continue
        query = inside.args.get("query")
        if any(isinstance(value, exp.Null) for value in inside.expressions):
            yield Finding("NOT IN with a NULL is true for no row", model.span(inside), fix="leave NULL out")
        elif query is not None and (nulls := query_nulls(model, query)):
            yield Finding(
                f"NOT IN is true for no row once {next(iter(nulls))} is NULL in one",
                model.span(inside.this),
                why=f"{next(iter(nulls))} may be NULL in this query",
                fix="write NOT EXISTS (SELECT …), or filter with IS NOT NULL inside",
            )
