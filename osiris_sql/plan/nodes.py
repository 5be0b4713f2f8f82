"""The nodes of a manifest and their edges, as selection and planning see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from osiris_sql.plan.publications import publication_fingerprint
from osiris_sql.types.manifest import CompiledTest, Manifest


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a person can select: a source table, a seed, a model, a data test or a publication.

    `tested` is the node that a data test is of, and runs with.
    """

    id: str
    type: Literal["source", "seed", "model", "test", "target"]
    name: str
    path: str
    tags: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    tested: str = ""


def test_node(test: CompiledTest) -> str:
    """Return the id of a data test's node, such as `test:unique_orders_id`."""
    return f"test:{test.name}"


def node_table(manifest: Manifest) -> dict[str, Node]:
    """Return every node by id, in build order: sources, models, tests, publications."""
    nodes = [
        *(
            Node(
                id=source.node,
                type="seed" if source.table.seed else "source",
                name=source.node.partition(":")[2],
                path=source.table.location.path,
                tags=source.table.tags,
                folders=_folders(source.table.location.path, source.table.name) if source.table.seed else (),
                config={"materialized": "seed"} if source.table.seed else {},
                fingerprint=source.fingerprint,
            )
            for source in manifest.sources
        ),
        *(
            Node(
                id=model.node,
                type="model",
                name=model.name,
                path=model.path,
                tags=model.config.tags,
                folders=_folders(model.path, model.name),
                config={"materialized": model.config.materialized},
                fingerprint=model.fingerprint,
            )
            for model in manifest.models
        ),
        *(
            Node(
                id=test_node(test),
                type="test",
                name=test.name,
                path=test.location.path,
                tags=test.tags,
                config={"test_type": "generic" if test.test else "singular", "test_name": test.test},
                fingerprint=test.fingerprint,
                tested=test.node,
            )
            for test in manifest.tests
        ),
        *(
            Node(
                id=publication.node,
                type="target",
                name=f"{publication.target}.{publication.table}",
                path=publication.location.path,
                tags=publication.tags,
                fingerprint=publication_fingerprint(manifest, publication),
            )
            for publication in manifest.publications
        ),
    ]
    return {node.id: node for node in nodes}


def _folders(path: str, name: str) -> tuple[str, ...]:
    return (*path.split("/")[1:-1], name)


def node_edges(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return the edges node → what it needs."""
    return {
        **{source.node: () for source in manifest.sources},
        **{model.node: model.needs for model in manifest.models},
        **{test_node(test): test.reads for test in manifest.tests},
        **{p.node: (f"model:{p.model}",) for p in manifest.publications},
    }
