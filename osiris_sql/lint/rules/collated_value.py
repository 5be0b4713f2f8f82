"""Find collated values where their text is kept.

Why: texts that a collation calls equal are one group, and which spelling stands for it is luck.

Bad:
    select distinct country collate nocase as country from shop.customers

Good:
    select distinct lower(country) as country from shop.customers
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each place that the compiler could not mend."""
    return unsafe_reasons("collated-value", model)
