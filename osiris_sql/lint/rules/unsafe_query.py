"""Find models whose rows may differ from run to run.

Why: a number that differs between two runs on the same rows can't be trusted or reviewed.

Bad:
    select random() as lot from film

Good:
    select hash(film_id) as lot from film
"""

from collections.abc import Iterator

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, Manifest


def check(model: CompiledModel, manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield a finding for each construct that the compiler could not make deterministic."""
    for reason in model.reasons:
        if reason.verdict == "unsafe" and model.verdict == "unsafe":
            yield Diagnostic(
                rule="unsafe-query",
                message=reason.message,
                location=reason.location or model.location,
                fix="or take it on: config(determinism='declared', reason='...')",
            )
