"""Find the use of a table's physical row numbers.

Why: they follow from how the rows were loaded, not from what the rows say.

Bad:
    select rowid as id, name from shop.customers

Good:
    select customer_id as id, name from shop.customers
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each place that the compiler could not mend."""
    return unsafe_reasons("row-id", model)
