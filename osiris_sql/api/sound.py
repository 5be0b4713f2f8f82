"""Mistakes concern what has them and what stands below; who selects something else is not stopped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from osiris_sql.plan.past import Past
from osiris_sql.plan.selection import select_nodes
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.manifest import CompiledModel, Manifest, ModelConfig
from osiris_sql.types.project import Model, Project
from osiris_sql.types.relation import RelationRef, TableSchema


def refuse_mistakes(
    project: Project,
    manifest: Manifest,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    past: Past | None = None,
) -> None:
    """Raise ProjectError with every error, unless all are in models that the selection leaves out."""
    if errors_of(manifest):
        whole = add_wrong_models(project, manifest)
        refuse_mistakes_in(
            project, manifest, select_nodes(whole, select, exclude, past) if select or exclude else None
        )


def refuse_mistakes_in(project: Project, manifest: Manifest, nodes: Collection[str] | None) -> None:
    """Raise ProjectError with every error, unless all are in models that are none of these nodes; None
    means all nodes."""
    if are_stopped(project, manifest, nodes):
        raise ProjectError(*errors_of(manifest))


def are_stopped(project: Project, manifest: Manifest, nodes: Collection[str] | None) -> bool:
    """Say whether a mistake is of one of these nodes (None: any), or of no model and so of all."""
    errors = errors_of(manifest)
    paths = {model.path for model in project.models}
    if any(error.location is None or error.location.path not in paths for error in errors):
        return True
    return bool(errors) and (nodes is None or bool(_wrong_models(project, manifest, errors) & set(nodes)))


def errors_of(manifest: Manifest) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of a manifest that are errors."""
    return tuple(d for d in manifest.diagnostics if d.severity == "error")


def _wrong_models(project: Project, manifest: Manifest, errors: Sequence[Diagnostic]) -> set[str]:
    places = {error.location.path for error in errors if error.location}
    return {model.node for model in project.models if model.path in places} | manifest.blocked.keys()


def add_wrong_models(project: Project, manifest: Manifest) -> Manifest:
    """Return the manifest with the models that could not be compiled, for a selection to name them.

    They have no SQL.
    """
    known = {model.node for model in manifest.models}
    wrong = _wrong_models(project, manifest, errors_of(manifest)) - known
    stubs = [make_stub(model, manifest.blocked) for model in project.models if model.node in wrong]
    return replace(manifest, models=(*manifest.models, *stubs))


def make_stub(model: Model, blocked: Mapping[str, Sequence[str]]) -> CompiledModel:
    """Return a model as its file names it, without SQL; it needs what blocks it."""
    above = blocked.get(model.node, ())
    return CompiledModel(
        name=model.name,
        path=model.path,
        relation=RelationRef("main", model.name),
        config=ModelConfig(tags=tuple(model.config.get("tags") or ())),
        sql="",
        schema=TableSchema(columns=()),
        needs=tuple(node for node in above if node.startswith("model:")),
        reads={},
        lineage=(),
        verdict="unknown",
        fingerprint="",
        location=model.location,
    )
