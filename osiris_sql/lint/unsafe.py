"""What the compiler found that makes rows differ from run to run, or may, as findings of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.types.manifest import Verdict

TAKE_ON = "or take it on: config(determinism='declared', reason='…')"

Check = Callable[[LintedModel], Iterator[Finding]]


def unsafe_reasons(rule: str) -> Check:
    """Return the check of a rule that says what the compiler found of a class and could not mend."""
    return _reasons("unsafe", (rule,), "may give another answer each time it runs")


def unknown_reasons(*rules: str) -> Check:
    """Return the check of a rule that says of which constructs of some classes nothing is known."""
    return _reasons("unknown", rules, "may give another answer each time it runs: nobody knows")


def _reasons(verdict: Verdict, rules: tuple[str, ...], why: str) -> Check:
    def check(model: LintedModel) -> Iterator[Finding]:
        compiled = model.compiled
        for reason in compiled.reasons:
            if reason.rule in rules and reason.verdict == verdict:
                yield Finding(
                    reason.message,
                    location=reason.location or compiled.location,
                    why=f'"{compiled.name}" {why}',
                    fix=TAKE_ON,
                )

    return check
