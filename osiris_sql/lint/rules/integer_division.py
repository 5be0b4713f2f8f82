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
from osiris_sql.lint.definitions import definition
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"

_BESIDE_FRACTION = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.Add, exp.Sub)
_SCALES = ("100", "1000")
_FRACTIONS = exp.DataType.FLOAT_TYPES | {exp.DType.DECIMAL}


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each `//` whose fraction is wanted, here or where its column is read, and each whole `/` cast.

    It is wanted where the value is made a percentage, rounded to places, cast to a fraction, or meets one.
    """
    for division in model.nodes(exp.IntDiv):
        if _wants_fraction(division, division) or any(
            _wants_fraction(reader, division) for reader in _readers(model, division)
        ):
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


def _readers(model: LintedModel, division: exp.Expr) -> list[exp.Column]:
    """Return the names that stand for a division that is a column."""
    top = division
    while isinstance(top.parent, exp.Paren):
        top = top.parent
    if not isinstance(top.parent, exp.Alias):
        return []
    named = [c for c in model.nodes(exp.Column) if c.name.lower() == top.parent.alias.lower()]
    return [column for column in named if definition(model, column) is top]


def _wants_fraction(value: exp.Expr, division: exp.Expr) -> bool:
    """Say whether the fraction of a value that is a division is wanted by what it stands in."""
    parent = _outside(value)
    if isinstance(parent, exp.Cast):
        return parent.to.this in _FRACTIONS
    if isinstance(parent, exp.Round):
        return parent.args.get("decimals") is not None
    if not isinstance(parent, exp.Binary) or not isinstance(parent, (exp.Mul, *_BESIDE_FRACTION)):
        return False
    other = (parent.right if parent.left.unnest() is value else parent.left).unnest()
    if not isinstance(other, exp.Literal) or other.is_string:
        return False
    # `x // 100 * 100` rounds down to hundreds, which is what it says.
    scale = (
        isinstance(parent, exp.Mul) and other.this in _SCALES and other not in division.find_all(exp.Literal)
    )
    return scale or not other.is_int
