"""Find published models of which nothing says what makes a row unique.

Why: without a key a row that was delivered twice looks like two rows, and no delivery can tell what changed.

Bad:
    select name, country from shop.customers

Good:
    select country, count(*) as customers from shop.customers group by country
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield one finding for a published model that has no key, proved or declared or named by a target."""
    name = model.compiled.name
    named = any(p.key for p in model.around.published.get(name, ())) or model.compiled.config.unique_key
    if model.is_published and not named and not model.around.keys.get(model.compiled.node):
        yield Finding(
            f"{name} is published, and nothing says what makes a row of it unique",
            location=model.compiled.location,
            fix="name the key in targets.yml, or declare the tests unique and not_null on it",
        )
