"""Find arrays of rows in no order.

Why: the elements stand in another order each time.

Bad:
    select array(from (select name from shop.customers) order by name[1]) as names

Good:
    select array(select name from shop.customers order by name) as names
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each place that the compiler could not mend."""
    return unsafe_reasons("unordered-array", model)
