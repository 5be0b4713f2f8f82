"""Relations that an earlier build made and that the project no longer has."""

from __future__ import annotations

from collections.abc import Mapping

from osiris_sql.types.manifest import Manifest
from osiris_sql.types.noun import noun
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import RelationRef


@noun
class Leftover:
    """A node that is gone from the project; `relation` is None if another node has taken its name.

    `history` says that it is a snapshot, whose rows are nowhere else.
    """

    node: str
    relation: RelationRef | None
    history: bool = False


def find_leftovers(manifest: Manifest, state: Mapping[str, StepState]) -> list[Leftover]:
    """Return what the warehouse holds and the project no longer makes, sorted by node.

    Nothing of a project with mistakes: what could not be compiled is not gone.
    """
    if any(finding.severity == "error" for finding in manifest.diagnostics):
        return []
    kept = {model.node: model.relation for model in manifest.models if _stands(model.config.materialized)}
    kept |= {source.node: source.relation for source in manifest.sources}
    taken = {_place(relation) for relation in kept.values()}
    found = []
    for node, known in sorted(state.items()):
        relation = relation_of(node)
        if relation is None or node in kept:
            continue
        free = None if _place(relation) in taken else relation
        found.append(Leftover(node=node, relation=free, history=known.materialized == "snapshot"))
    return found


def relation_of(node: str) -> RelationRef | None:
    """Return where a node's rows stand, None of one that has none here."""
    kind, _, name = node.partition(":")
    if kind in ("model", "seed"):
        return RelationRef("main", name)
    return RelationRef(*name.split(".", 1)) if kind == "source" else None


def _stands(materialized: str) -> bool:
    return materialized != "ephemeral"


def _place(relation: RelationRef) -> tuple[str, str]:
    return relation.schema.lower(), relation.name.lower()
