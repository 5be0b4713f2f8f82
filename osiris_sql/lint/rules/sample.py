"""Find samples that draw other rows each time.

Why: a model of some of the rows has to take the same ones each time.

Bad:
    select order_id, amount from shop.orders using sample 10%

Good:
    select order_id, amount from shop.orders where hash(order_id) % 10 = 0
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each place that the compiler could not mend."""
    return unsafe_reasons("sample", model)
