"""Find sums of DOUBLE values whose order can't be settled.

Why: floating sums hang on the order of the rows, which differs with the number of threads.

Bad:
    select weight.sum() as weight from shop.orders

Good:
    select sum(weight) as weight from shop.orders
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each place that the compiler could not mend."""
    return unsafe_reasons("floating-sum", model)
