"""Find branches of CASE that no row reaches.

Why: an earlier branch takes their rows, so a value that somebody counts on never appears.

Bad:
    select order_id, case when amount > 10 then 'large' when amount > 100 then 'huge' end as size
    from shop.orders

Good:
    select order_id, case when amount > 100 then 'huge' when amount > 10 then 'large' end as size
    from shop.orders
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlglot import exp

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}

Bound = tuple[Any, int] | None
"""A value, and 1 or -1 if the range begins or ends just beside it; None where it has no end."""
Range = tuple[int, Bound, Bound]
"""An expression by its hash is not NULL and lies between two bounds."""
Test = list[list[Range]]
"""A condition as alternatives, in each of which all ranges hold."""


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each branch whose condition an earlier one implies, and each ELSE that no row comes to."""
    for case in model.nodes(exp.Case):
        whens = [branch.this.unnest() for branch in case.args["ifs"]]
        tests = [_read(when) if case.this is None else [[_is_true(when)]] for when in whens]
        for index, when in enumerate(whens):
            if any(_covers(earlier, tests[index]) for earlier in tests[:index]) and _is_stable(when):
                yield Finding(
                    "no row reaches this WHEN: an earlier one takes them all",
                    model.span(when),
                    fix="put the narrower condition first",
                )
        default = case.args.get("default")
        if default is not None and case.this is None and _take_all(whens):
            fix = "leave the ELSE out, or correct a WHEN"
            yield Finding("no row reaches this ELSE", model.span(default) or model.span(case), fix=fix)


def _take_all(tests: list[exp.Expr]) -> bool:
    """Say whether some conditions are met by every row: one is TRUE, or two are IS NULL and IS NOT NULL."""
    if any(isinstance(test, exp.Boolean) and test.this for test in tests):
        return True
    opposites = [test.this.unnest() for test in tests if isinstance(test, exp.Not)]
    return any(isinstance(test, exp.Is) and test in opposites for test in tests)


def _is_stable(test: exp.Expr) -> bool:
    return not any(isinstance(node, exp.Anonymous | exp.Rand) for node in test.walk())


def _covers(earlier: Test, later: Test) -> bool:
    """Say whether every row for which `later` holds was taken by `earlier`."""
    return all(
        any(all(any(_is_inside(part, whole) for part in narrow) for whole in wide) for wide in earlier)
        for narrow in later
    )


def _is_inside(part: Range, whole: Range) -> bool:
    if part[0] != whole[0]:
        return False
    return _is_narrower(part[1], whole[1], 1) and _is_narrower(part[2], whole[2], -1)


def _is_narrower(bound: Bound, other: Bound, sign: int) -> bool:
    if bound is None or other is None:
        return other is None
    alike = type(bound[0]) is type(other[0])
    return alike and bool(bound >= other if sign > 0 else bound <= other)


def _read(test: exp.Expr) -> Test:
    """Return what a condition says of the values in it."""
    test = test.unnest()
    if isinstance(test, exp.Boolean) and test.this:
        return [[]]
    if isinstance(test, exp.Or):
        return _read(test.left) + _read(test.right)
    if isinstance(test, exp.And):
        sides = _read(test.left), _read(test.right)
        return [a + b for a in sides[0] for b in sides[1]] if len(sides[0]) == 1 else [[_is_true(test)]]
    if isinstance(test, exp.In) and test.expressions:
        return [[_range(test.this, exp.EQ, value) or _is_true(test)] for value in test.expressions]
    if isinstance(test, exp.Between):
        low, high = test.args["low"], test.args["high"]
        ends = [_range(test.this, exp.GTE, low), _range(test.this, exp.LTE, high)]
        return [[end for end in ends if end]] if all(ends) else [[_is_true(test)]]
    if (
        isinstance(test, exp.Not)
        and isinstance(test.this, exp.Is)
        and isinstance(test.this.expression, exp.Null)
    ):
        return [[(hash(test.this.this), None, None)]]
    return [[_comparison(test) or _is_true(test)]]


def _is_true(test: exp.Expr) -> Range:
    return hash(test), (True, 0), (True, 0)


def _comparison(test: exp.Expr) -> Range | None:
    if type(test) not in _FLIPPED:
        return None
    if isinstance(test.this, exp.Literal):
        return _range(test.expression, _FLIPPED[type(test)], test.this)
    return _range(test.this, type(test), test.expression)


def _range(operand: exp.Expr, kind: type[exp.Expr], literal: exp.Expr) -> Range | None:
    """Return the range that a comparison with a literal names; texts other than days have no order here."""
    value = _value(literal)
    if value is None or (isinstance(value, str) and kind is not exp.EQ and not _DAY.fullmatch(value)):
        return None
    low = None if kind in (exp.LT, exp.LTE) else (value, int(kind is exp.GT))
    high = None if kind in (exp.GT, exp.GTE) else (value, -int(kind is exp.LT))
    return hash(operand), low, high


def _value(node: exp.Expr) -> Decimal | str | None:
    if isinstance(node, exp.Neg):
        value = _value(node.this)
        return -value if isinstance(value, Decimal) else None
    if isinstance(node, exp.Cast) and node.to.this == exp.DType.DATE:
        node = node.this
    if not isinstance(node, exp.Literal):
        return None
    return str(node.this) if node.is_string else Decimal(node.this)
