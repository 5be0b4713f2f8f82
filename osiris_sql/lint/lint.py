"""Runs the lint rules over the compiled models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.noqa import Suppressions
from osiris_sql.lint.other_files import find_elsewhere, without_secrets
from osiris_sql.lint.reading import Reader, with_all_above
from osiris_sql.lint.remembered import Linted, LintMemory
from osiris_sql.lint.rule_table import rule_table, unsafe_rules
from osiris_sql.lint.surroundings import Surroundings
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import LintConfig, Project

Mended = tuple[LintedModel, Finding]
"""A model, and a finding of it that has edits."""


def find_all(
    project: Project, manifest: Manifest, paths: Sequence[str], memory: LintMemory
) -> tuple[tuple[Diagnostic, ...], list[Mended]]:
    """Return the findings of all rules and of the compiler, and those that can be mended.

    Models above those that are chosen are read too, for their keys; one model is held at a time.
    """
    chosen = {m.node for m in manifest.models if not paths or is_under(m.path, paths)}
    wanted = with_all_above(chosen, manifest)
    said = [d for d in manifest.diagnostics if d.severity != "info" and d.rule not in unsafe_rules()]
    files: dict[str, list[Diagnostic]] = {}
    for finding in said:
        files.setdefault(finding.location.path if finding.location else "", []).append(finding)
    found: list[Diagnostic] = []
    mended: list[Mended] = []
    macros = {file.path: Suppressions(file.path, file.text) for file in project.macros}
    elsewhere = list(find_elsewhere(project, files))
    reader = Reader(project, _around(project, manifest), memory.environ)
    for compiled in manifest.models:
        if compiled.node not in wanted:
            continue
        linted, sources = _lint(compiled, reader, memory, project.lint)
        reader.around.note(compiled.node, linted.learned)
        if compiled.node in chosen:
            kept = [*files.pop(compiled.path, ()), *linted.findings]
            suppressions = Suppressions(compiled.path, reader.texts[compiled.node])
            shown = _without(suppressions.apply(_configured(kept, project.lint)), macros)
            found += shown
            mended += [
                (model, source)
                for diagnostic, model, source in sources
                if source.edits and diagnostic in shown
            ]
    memory.save()
    for others in (*files.values(), elsewhere):
        found += _without(_configured(others, project.lint), macros)
    listed = [d for d in found if not paths or (d.location and is_under(d.location.path, paths))]
    return tuple(sorted(dict.fromkeys(without_secrets(project, listed)), key=_place)), mended


def _without(findings: Iterable[Diagnostic], macros: Mapping[str, Suppressions]) -> list[Diagnostic]:
    """Return the findings that no comment of a file of macros silences."""
    return [
        f for f in findings if not f.location or not (m := macros.get(f.location.path)) or not m.silence(f)
    ]


def _around(project: Project, manifest: Manifest) -> Surroundings:
    tables = {source.node: source.schema for source in manifest.sources}
    around = Surroundings(project, tables, {test.node for test in manifest.tests})
    around.schemas |= {model.node: model.schema for model in manifest.models}
    return around


Sources = list[tuple[Diagnostic, LintedModel, Finding]]
"""Findings with what they were made from; none of a model that was linted before."""


def _lint(
    compiled: CompiledModel, reader: Reader, memory: LintMemory, config: LintConfig
) -> tuple[Linted, Sources]:
    key = memory.key_of(reader.seen_by(compiled))
    before = memory.find(key)
    if before:
        return before, []
    linted, own = lint_model(reader.read(compiled), reader, config)
    memory.keep(key, linted)
    return linted, own


def lint_model(model: LintedModel, reader: Reader, config: LintConfig) -> tuple[Linted, Sources]:
    """Return what the rules find in a model, and what it says to those below, which is noted."""
    learned = reader.learn(model)
    reader.around.note(model.compiled.node, learned)
    own = [(diagnostic, model, finding) for diagnostic, finding in _run_rules(model, config)]
    increment = reader.read_increment(model)
    if increment is not None:
        further = [(d, increment, replace(f, edits=())) for d, f in _run_rules(increment, config)]
        own = _either(own, further)
    return Linted(findings=tuple(diagnostic for diagnostic, _, _ in own), learned=learned), own


def _either(first: Sources, increment: Sources) -> Sources:
    """Return what is found in one of two texts of a model; what is not used is so in both."""
    here, there = ({diagnostic for diagnostic, _, _ in found} for found in (first, increment))
    found = [*first, *(source for source in increment if source[0] not in here)]
    return [s for s in found if not s[0].rule.startswith("unused-") or s[0] in here & there]


def _run_rules(model: LintedModel, config: LintConfig) -> Iterator[tuple[Diagnostic, Finding]]:
    ignored = ignored_rules(config, model.compiled.path)
    for name, rule in rule_table().items():
        if name in ignored:
            continue
        for finding in rule.check(model):
            diagnostic = Diagnostic(
                rule=name,
                severity=config.severity.get(name, rule.SEVERITY),
                message=finding.message,
                location=finding.location or model.locate(finding.span),
                why=finding.why,
                fix=finding.fix,
            )
            yield diagnostic, finding


def ignored_rules(config: LintConfig, path: str) -> set[str]:
    """Return the rules that are off for a file."""
    ignored = set(config.ignore)
    for folder, names in config.per_folder.items():
        if Path(folder) in Path(path).parents:
            ignored |= set(names)
    return ignored


def _configured(findings: Iterable[Diagnostic], config: LintConfig) -> Iterator[Diagnostic]:
    """Yield findings with their severities; mistakes for which nothing would run can't be turned off."""
    names = rule_table()
    for finding in findings:
        path = finding.location.path if finding.location else ""
        if finding.severity == "error" and finding.rule not in names:
            yield finding
        elif finding.rule not in ignored_rules(config, path):
            yield replace(finding, severity=config.severity.get(finding.rule, finding.severity))


def is_under(path: str, paths: Collection[str]) -> bool:
    """Say whether a file is one of some files, or in one of some folders."""
    here = Path(path)
    return any(here == Path(chosen) or Path(chosen) in here.parents for chosen in paths)


def _place(finding: Diagnostic) -> tuple[str, int, int, str]:
    at = finding.location
    return (at.path, at.line or 0, at.column or 0, finding.rule) if at else ("", 0, 0, finding.rule)
