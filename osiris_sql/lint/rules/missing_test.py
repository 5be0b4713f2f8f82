"""Find published models that no data test guards.

Why: what reaches the app was then never checked.

Bad:
    models: [{name: film}]

Good:
    models: [{name: film, columns: [{name: film_id, data_tests: [unique, not_null]}]}]
"""

from collections.abc import Iterator

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, Manifest


def check(model: CompiledModel, manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield one finding for a published model without a data test."""
    tested = any(test.node == model.node for test in manifest.tests)
    if not tested and any(p.model == model.name for p in manifest.publications):
        yield Diagnostic(
            rule="missing-test",
            severity="warning",
            message=f"{model.name} is published and has no data test",
            location=model.location,
            fix="declare data_tests in a YAML file beside it",
        )
