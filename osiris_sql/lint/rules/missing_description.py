"""Find published models that nobody described.

Why: the description becomes the comment of the target's table, and the people there ask what it is.

Bad:
    models: [{name: film}]

Good:
    models: [{name: film, description: One row a film.}]
"""

from collections.abc import Iterator

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, Manifest


def check(model: CompiledModel, manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield one finding for a published model without a description."""
    if not model.description and any(p.model == model.name for p in manifest.publications):
        yield Diagnostic(
            rule="missing-description",
            severity="warning",
            message=f"{model.name} is published and has no description",
            location=model.location,
            fix="describe it in a YAML file beside it",
        )
