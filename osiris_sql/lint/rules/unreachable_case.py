"""Find branches of CASE that no row reaches.

Why: an earlier branch takes their rows, so a value that somebody counts on never appears.

Bad:
    select order_id, case when amount > 10 then 'large' when amount > 100 then 'huge' end as size
    from shop.orders

Good:
    select order_id, case when amount > 100 then 'huge' when amount > 10 then 'large' end as size
    from shop.orders
"""

from collections.abc import Iterator
from decimal import Decimal

from sqlglot import exp

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"

_UP, _DOWN = (exp.GT, exp.GTE), (exp.LT, exp.LTE)


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each branch whose condition an earlier one implies, and each ELSE that no row comes to."""
    for case in model.nodes(exp.Case):
        tests = [branch.this.unnest() for branch in case.args["ifs"]]
        for index, test in enumerate(tests):
            if any(_covers(earlier, test) for earlier in tests[:index]):
                yield Finding(
                    "no row reaches this WHEN: an earlier one takes them all",
                    model.span(test),
                    fix="put the narrower condition first",
                )
        default = case.args.get("default")
        if default is not None and case.this is None and _take_all(tests):
            fix = "leave the ELSE out, or correct a WHEN"
            yield Finding("no row reaches this ELSE", model.span(default) or model.span(case), fix=fix)


def _take_all(tests: list[exp.Expr]) -> bool:
    """Say whether some conditions are met by every row: one is TRUE, or two are IS NULL and IS NOT NULL."""
    if any(isinstance(test, exp.Boolean) and test.this for test in tests):
        return True
    opposites = [test.this.unnest() for test in tests if isinstance(test, exp.Not)]
    return any(isinstance(test, exp.Is) and test in opposites for test in tests)


def _covers(earlier: exp.Expr, later: exp.Expr) -> bool:
    """Say whether every row for which `later` holds was taken by `earlier`."""
    if isinstance(earlier, exp.Boolean) and earlier.this:
        return True
    if earlier == later:
        return not any(isinstance(node, exp.Anonymous | exp.Rand) for node in earlier.walk())
    bounds = [_bound(test) for test in (earlier, later)]
    if bounds[0] is None or bounds[1] is None or earlier.this != later.this:
        return False
    first, second = bounds[0], bounds[1]
    if isinstance(earlier, _UP) and isinstance(later, (*_UP, exp.EQ)):
        return second > first or (second == first and not _is_stricter(earlier, later))
    if isinstance(earlier, _DOWN) and isinstance(later, (*_DOWN, exp.EQ)):
        return second < first or (second == first and not _is_stricter(earlier, later))
    return False


def _is_stricter(earlier: exp.Expr, later: exp.Expr) -> bool:
    return isinstance(earlier, exp.GT | exp.LT) and isinstance(later, exp.GTE | exp.LTE | exp.EQ)


def _bound(test: exp.Expr) -> Decimal | None:
    if not isinstance(test, (*_UP, *_DOWN, exp.EQ)) or not isinstance(test.this, exp.Column):
        return None
    value = test.expression
    negative = isinstance(value, exp.Neg)
    value = value.this if negative else value
    if not isinstance(value, exp.Literal) or value.is_string:
        return None
    return -Decimal(value.this) if negative else Decimal(value.this)
