"""Findings outside compiled models: secrets in other files of SQL, and settings that name no rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.rule_table import rule_table
from osiris_sql.lint.rules import secret_in_sql
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import Project

# What compiling warns of; these have no file of their own.
_WARNINGS = {"compiler-warning", "unknown-column", "unknown-folder", "unused-noqa"}


def find_elsewhere(project: Project, broken: Collection[str]) -> Iterator[Diagnostic]:
    """Yield what is found in macros, in singular tests, and in the files of models that do not compile."""
    models = {model.path for model in project.models}
    for path, text in _texts(project):
        if path in models and path not in broken:
            continue  # linted itself
        for finding in secret_in_sql.find_secrets(path, text):
            yield _diagnostic(finding)
    yield from _unknown_rules(project)


def without_secrets(project: Project, findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return findings whose words hold none of the secrets that are among them."""
    places = [f.location for f in findings if f.rule == "secret-in-sql" and f.location]
    lines = {path: text.split("\n") for path, text in _texts(project)} if places else {}
    for at in places:
        start = (at.column or 1) - 1
        value = lines[at.path][(at.line or 1) - 1][start : start + at.length]
        findings = [
            replace(f, **{key: getattr(f, key).replace(value, "…") for key in ("message", "why", "fix")})
            for f in findings
        ]
    return [*findings]


def _texts(project: Project) -> Iterator[tuple[str, str]]:
    yield from ((macros.path, macros.text) for macros in project.macros)
    yield from ((model.path, model.text) for model in project.models)
    yield from ((test.location.path, test.text) for test in project.data_tests if test.kind == "singular")


def _diagnostic(finding: Finding) -> Diagnostic:
    return Diagnostic(
        rule="secret-in-sql",
        severity="error",
        message=finding.message,
        location=finding.location,
        why=finding.why,
        fix=finding.fix,
    )


def _unknown_rules(project: Project) -> Iterator[Diagnostic]:
    config = project.lint
    used = [("ignore", name) for name in config.ignore]
    used += [
        (f'per_folder."{folder}"', name) for folder, names in config.per_folder.items() for name in names
    ]
    used += [("severity", name) for name in config.severity]
    for key, name in used:
        if name not in rule_table() and name not in _WARNINGS:
            yield Diagnostic(
                rule="unknown-rule",
                severity="warning",
                message=f'lint.{key} names "{name}", which is no rule',
                location=config.location,
                fix=did_you_mean(name, [*rule_table(), *_WARNINGS], "see docs/lint.md"),
            )
