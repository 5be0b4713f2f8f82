"""What the compiler found that makes rows differ from run to run, as findings of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

TAKE_ON = "or take it on: config(determinism='declared', reason='…')"


def unsafe_reasons(rule: str) -> Callable[[LintedModel], Iterator[Finding]]:
    """Return the check of a rule that says what the compiler found of a class and could not mend."""

    def check(model: LintedModel) -> Iterator[Finding]:
        compiled = model.compiled
        for reason in compiled.reasons:
            if reason.rule == rule and reason.verdict == "unsafe":
                yield Finding(
                    reason.message,
                    location=reason.location or compiled.location,
                    why=f'"{compiled.name}" may give another answer each time it runs',
                    fix=TAKE_ON,
                )

    return check
