"""Find comparisons with NULL.

Why: they are never true, not even where the value is NULL, so the filter keeps no row at all.

Bad:
    select order_id from shop.orders where customer_id = null

Good:
    select order_id from shop.orders where customer_id is null
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each comparison one of whose sides is the word NULL, and each `CASE x WHEN NULL`."""
    for node in model.nodes(*_COMPARISONS):
        if isinstance(node.this, exp.Null) or isinstance(node.expression, exp.Null):
            word = "is not null" if isinstance(node, exp.NEQ) else "is null"
            yield Finding("a comparison with NULL is never true", model.span(node), fix=f"write {word}")
    for case in model.nodes(exp.Case):
        if case.this is not None and any(isinstance(branch.this, exp.Null) for branch in case.args["ifs"]):
            span = model.span(case.this)
            yield Finding("WHEN NULL is never reached", span, fix="write CASE WHEN … IS NULL THEN …")
