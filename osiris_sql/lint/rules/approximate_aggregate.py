"""Find aggregates that guess.

Why: their guess hangs on the order of the rows and the number of threads.

Bad:
    select approx_count_distinct(customer_id) as customers from shop.orders

Good:
    select count(distinct customer_id) as customers from shop.orders
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each place that the compiler could not mend."""
    return unsafe_reasons("approximate-aggregate", model)
