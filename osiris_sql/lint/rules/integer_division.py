"""Find divisions that lose a fraction that is used afterwards.

Why: `//` cuts the fraction off, and a cast of `/` to a whole number rounds it, other than in PostgreSQL.

Bad:
    select customer_id, sum(quantity) // count(*) * 100 as share from shop.orders group by customer_id

Good:
    select customer_id, sum(quantity) * 100 / count(*) as share from shop.orders group by customer_id
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.lineage.numbers import kind_of
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"

_FRACTIONS = exp.DataType.FLOAT_TYPES | {exp.DType.DECIMAL}


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each `//` that is multiplied, rounded or cast to a fraction, and each whole `/` cast to one."""
    for division in model.nodes(exp.IntDiv):
        parent = _outside(division)
        if _wants_fraction(parent, division):
            yield Finding(
                "// cuts the fraction off before it is used",
                model.span(division),
                fix="divide with /, after multiplying",
            )
    for quotient in model.nodes(exp.Div):
        parent, scope = _outside(quotient), model.scope_of(quotient)
        if isinstance(parent, exp.Cast) and parent.to.this in exp.DataType.INTEGER_TYPES and scope:
            kinds = [kind_of(side, scope, model.walk) for side in (quotient.left, quotient.right)]
            if kinds == ["int", "int"]:
                yield Finding(
                    "/ gives a fraction, which this cast rounds: 7 / 2 becomes 4",
                    model.span(quotient),
                    fix="write // to cut it off, or round() to say that it is meant",
                )


def _outside(node: exp.Expr) -> exp.Expr | None:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return parent


def _wants_fraction(parent: exp.Expr | None, division: exp.Expr) -> bool:
    if isinstance(parent, exp.Cast):
        return parent.to.this in _FRACTIONS
    if isinstance(parent, exp.Round):
        return parent.args.get("decimals") is not None
    if not isinstance(parent, exp.Mul) or parent.this.unnest() is not division:
        return False
    # `x // 10 * 10` rounds down to tens, which is what it says.
    return bool(parent.expression.unnest() != division.expression.unnest())
