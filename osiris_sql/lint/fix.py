"""Mends what lint found: edits of the author's files, kept only if the result compiles alike."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from osiris_sql.compile import compile_project
from osiris_sql.lint.file_edits import FileEdit, apart, apply_edits, edits_in_file
from osiris_sql.lint.lint import Mended, find_all
from osiris_sql.lint.remembered import LintMemory
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import Project

_MOST_ROUNDS = 20

Group = tuple[FileEdit, ...]
"""The edits of one finding: all of them or none."""


@dataclass(frozen=True)
class Fixed:
    """A project after mending: `texts` are the new texts of files by path; `findings` are what is left."""

    texts: Mapping[str, str]
    findings: tuple[Diagnostic, ...]
    mended: int


def fix_project(project: Project, manifest: Manifest, paths: Sequence[str] = ()) -> Fixed:
    """Return the project mended as far as it can be, until nothing more is found; nothing is written.

    An edit stays if the model still has its columns, types, configuration and verdict, and no mistake.
    Findings of files that don't compile are not touched.
    """
    old = {model.path: model.text for model in project.models}
    refused: set[tuple[str, Group]] = set()
    mended = 0
    findings, found = _find(project, manifest, paths)
    for _ in range(_MOST_ROUNDS):
        offers = _offers(found, refused)
        if not offers:
            break
        texts = {model.path: model.text for model in project.models}
        kept = _sound(project, manifest, offers)
        refused |= {(texts[p], g) for p, groups in offers.items() for g in groups if g not in kept.get(p, ())}
        if kept:
            mended += sum(len(groups) for groups in kept.values())
            project = _edited(project, kept)
            manifest = _compiled(project, manifest)
            findings, found = _find(project, manifest, paths)
    new = {model.path: model.text for model in project.models}
    return Fixed({path: text for path, text in new.items() if text != old[path]}, findings, mended)


def _find(
    project: Project, manifest: Manifest, paths: Sequence[str]
) -> tuple[tuple[Diagnostic, ...], list[Mended]]:
    return find_all(project, manifest, paths, LintMemory(None, project, os.environ))


def _offers(found: Sequence[Mended], refused: set[tuple[str, Group]]) -> dict[str, list[Group]]:
    """Return the edits that each file is offered; what touches another one is left for the next round."""
    offered: dict[str, list[Group]] = {}
    for model, finding in found:
        group = edits_in_file(model, finding)
        if group and (model.text, group) not in refused:
            offered.setdefault(model.compiled.path, []).append(group)
    return {path: apart(groups) for path, groups in offered.items()}


def _sound(project: Project, manifest: Manifest, offers: Mapping[str, list[Group]]) -> dict[str, list[Group]]:
    """Return the edits that leave their models what they were: all of a file, or those that do alone."""
    changed = _alike(_edited(project, offers), manifest, set(offers))
    kept = {path: groups for path, groups in offers.items() if path in changed}
    for path, groups in offers.items():
        if path not in changed:
            alone = [g for g in groups if _alike(_edited(project, {path: [g]}), manifest, {path})]
            if alone and len(groups) > 1:
                kept[path] = alone[:1]
    return kept


def _edited(project: Project, groups: Mapping[str, Sequence[Group]]) -> Project:
    models = [
        replace(m, text=apply_edits(m.text, [edit for group in groups[m.path] for edit in group]))
        if m.path in groups
        else m
        for m in project.models
    ]
    return replace(project, models=tuple(models))


def _alike(project: Project, before: Manifest, paths: set[str]) -> set[str]:
    """Return the files whose models compile to what they were, but for their SQL."""
    old = {model.path: model for model in before.models}
    nodes = {model.node for model in project.models if model.path in paths}
    after = compile_project(project, only=nodes)
    wrong = {d.location.path for d in after.diagnostics if d.severity == "error" and d.location}
    new = {model.path: model for model in after.models if model.path in paths}
    return {
        path for path, model in new.items() if path not in wrong and _contract(model) == _contract(old[path])
    }


def _contract(model: CompiledModel) -> object:
    return model.schema, model.config, model.verdict, model.clock, model.snapshot, model.batches


def _compiled(project: Project, before: Manifest) -> Manifest:
    """Return the project compiled again, as much of it as it was before."""
    after = compile_project(project, only={model.node for model in before.models})
    return replace(
        after, tests=before.tests, publications=before.publications, diagnostics=_said(after, before)
    )


def _said(after: Manifest, before: Manifest) -> tuple[Diagnostic, ...]:
    """Return what was said before of files that are no models, and what is said of models now."""
    models = {model.path for model in after.models}
    others = [d for d in before.diagnostics if d.location is None or d.location.path not in models]
    own = [d for d in after.diagnostics if d.location is not None and d.location.path in models]
    return (*others, *own)
