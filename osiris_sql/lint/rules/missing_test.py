"""Find published models that no data test guards.

Why: what reaches the app was then never checked.

Bad:
    models: [{name: example}]

Good:
    models: [{name: example, columns: [{name: customer_id, data_tests: [unique, not_null]}]}]
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield one finding for a published model without a data test."""
    if model.is_published and model.compiled.node not in model.around.tested:
        yield Finding(
            f"{model.compiled.name} is published and has no data test",
            location=model.compiled.location,
            fix="declare data_tests in a YAML file beside it",
        )
