"""Find published models that nobody described.

Why: the description becomes the comment of the target's table, and the people there ask what it is.

Bad:
    models: [{name: example}]

Good:
    models: [{name: example, description: One row a customer.}]
"""

from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield one finding for a published model without a description."""
    if model.is_published and not model.compiled.description:
        yield Finding(
            f"{model.compiled.name} is published and has no description",
            location=model.compiled.location,
            fix="describe it in a YAML file beside it",
        )
