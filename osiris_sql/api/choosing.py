"""The verb that compiles what a selection needs, and no more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from osiris_sql.api.compiling import compile_project
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import Project

_BY_FILE = re.compile(r"(?:\d*\+)?(?:(?:fqn|path|file):)?[^:+@]+")
"""A word that files alone answer; what is above a model is found while it is compiled."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The selected models; what was said of them, of those above them, and of files that are no models."""

    models: tuple[CompiledModel, ...]
    diagnostics: tuple[Diagnostic, ...]


def compile_chosen(
    project: Project, select: Sequence[str] = (), exclude: Sequence[str] = (), state: str | None = None
) -> Chosen:
    """Return what a selection means, compiled; nothing selected means everything.

    Raises ProjectError for a word that matches nothing.
    """
    if not select and not exclude:
        manifest = compile_project(project)
        return Chosen(models=manifest.models, diagnostics=manifest.diagnostics)
    # Imported here: where everything is asked for, none of it is needed.
    from osiris_sql.api.past import find_past
    from osiris_sql.api.sound import add_wrong_models
    from osiris_sql.plan.selection import select_nodes
    from osiris_sql.support.dag import reach

    manifest = compile_project(project, only=None if exclude else _roots(project, select))
    whole = add_wrong_models(project, manifest)
    chosen = set(select_nodes(whole, select, exclude, find_past(manifest, [*select, *exclude], state)))
    above = {model.node: model.needs for model in whole.models}
    concerned = chosen | reach(above, chosen)
    files = {model.path: model.node in concerned for model in project.models}
    return Chosen(
        models=tuple(model for model in manifest.models if model.node in chosen),
        diagnostics=tuple(
            d
            for d in manifest.diagnostics
            if files.get(d.location.path if d.location else "", d.severity != "info")
        ),
    )


def _roots(project: Project, select: Sequence[str]) -> set[str] | None:
    """Return the models that must be compiled for a selection, None if only all of them can tell."""
    words = [term for text in select for word in text.split() for term in word.split(",")]
    if not words or not all(_BY_FILE.fullmatch(word) for word in words):
        return None
    from osiris_sql.plan.selection import select_nodes

    files = _files_alone(project)
    return set(select_nodes(files, [word.lstrip("0123456789+") for word in words], ()))


def _files_alone(project: Project) -> Manifest:
    """Return the project as if no model read another."""
    from osiris_sql.api.sound import make_stub

    return Manifest(
        project=project.name,
        root=project.root,
        env=project.env,
        warehouse=project.warehouse,
        settings=project.settings,
        connections=(),
        sources=(),
        models=tuple(make_stub(model, {}) for model in project.models),
        tests=(),
        publications=(),
    )
