"""Runs the lint rules over the compiled models."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from osiris_sql.lint import rules
from osiris_sql.lint.noqa import Suppressions
from osiris_sql.protocols import Rule
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import LintConfig, Project


@cache
def rule_table() -> dict[str, Rule]:
    """Return every rule by name, which is its file's name with dashes."""
    modules = (f"{rules.__name__}.{found.name}" for found in pkgutil.iter_modules(rules.__path__))
    return {name.rpartition(".")[2].replace("_", "-"): import_module(name) for name in sorted(modules)}


def lint_project(project: Project, manifest: Manifest, paths: Sequence[str] = ()) -> tuple[Diagnostic, ...]:
    """Return the findings of all rules, and the mistakes that compiling found; `paths` limits both."""
    found = [d for d in manifest.diagnostics if d.severity != "info"]
    texts = {model.path: model.text for model in project.models}
    for model in manifest.models:
        suppressions = Suppressions(model.path, texts.get(model.path, ""))
        found += suppressions.apply(_check(model, manifest, project.lint))
    chosen = [d for d in found if not paths or _under(d, paths)]
    return tuple(sorted(chosen, key=_place))


def _check(model: CompiledModel, manifest: Manifest, config: LintConfig) -> Iterable[Diagnostic]:
    ignored = set(config.ignore)
    for folder, names in config.per_folder.items():
        if Path(folder) in Path(model.path).parents:
            ignored |= set(names)
    for name, rule in rule_table().items():
        if name not in ignored:
            yield from rule.check(model, manifest)


def _under(finding: Diagnostic, paths: Sequence[str]) -> bool:
    if finding.location is None:
        return False
    here = Path(finding.location.path)
    return any(here == Path(path) or Path(path) in here.parents for path in paths)


def _place(finding: Diagnostic) -> tuple[str, int, int, str]:
    at = finding.location
    return (at.path, at.line or 0, at.column or 0, finding.rule) if at else ("", 0, 0, finding.rule)
