"""Find BETWEEN over timestamps that ends with a day.

Why: the day is its first instant, so all that happened on the last day is left out; with 23:59:59 its last
second is.

Bad:
    select sum(amount) as january from shop.orders where placed_at between '2026-01-01' and '2026-01-31'

Good:
    select sum(amount) as january from shop.orders
    where placed_at >= '2026-01-01' and placed_at < '2026-02-01'
"""

import re
from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LAST_SECOND = re.compile(r".*[ T]23:59(:59(\.9{0,5})?)?")


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each BETWEEN of a column with a time of day whose end is a day, or a day's last second."""
    for node in model.nodes(exp.Between):
        if (model.column_type(node.this) or "").startswith("TIMESTAMP") and _is_day(model, node.args["high"]):
            yield Finding(
                "BETWEEN leaves out what happens on the last day",
                model.span(node),
                why="the end of a range of timestamps is one instant",
                fix="write >= the first day AND < the day after the last",
            )


def _is_day(model: LintedModel, high: exp.Expr) -> bool:
    if isinstance(high, exp.Cast):
        is_date = high.to.this == exp.DType.DATE
        return is_date or _is_day(model, high.this)
    if isinstance(high, exp.Literal) and high.is_string:
        text = str(high.this)
        return bool(_DAY.fullmatch(text) or _LAST_SECOND.fullmatch(text))
    return isinstance(high, exp.LastDay | exp.DateFromParts) or model.column_type(high) == "DATE"
