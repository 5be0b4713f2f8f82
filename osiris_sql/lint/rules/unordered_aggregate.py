"""Find aggregates that take rows in any order.

Why: a list or a first value of rows in no order is another one each time.

Bad:
    select json_group_array(name) as names from shop.customers

Good:
    select list(name) as names from shop.customers
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each place that the compiler could not mend."""
    return unsafe_reasons("unordered-aggregate", model)
