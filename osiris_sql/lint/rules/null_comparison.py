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

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Between)


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each comparison one of whose sides is the word NULL, and each NULL in a list or `CASE x WHEN`."""
    for node in model.nodes(*_COMPARISONS):
        if any(_is_null(node.args.get(side)) for side in ("this", "expression", "low", "high")):
            word = "is not null" if isinstance(node, exp.NEQ) else "is null"
            yield Finding("a comparison with NULL is never true", model.span(node), fix=f"write {word}")
    for listed in model.nodes(exp.In):
        negated = isinstance(_outside(listed), exp.Not)
        if not negated and any(_is_null(value) for value in listed.expressions):
            yield Finding("no row meets a NULL in this list", model.span(listed), fix="write OR … IS NULL")
    for case in model.nodes(exp.Case):
        if case.this is not None and any(_is_null(branch.this) for branch in case.args["ifs"]):
            span = model.span(case.this)
            yield Finding("WHEN NULL is never reached", span, fix="write CASE WHEN … IS NULL THEN …")


def _is_null(node: exp.Expr | None) -> bool:
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    return isinstance(node, exp.Null)


def _outside(node: exp.Expr) -> exp.Expr | None:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return parent
