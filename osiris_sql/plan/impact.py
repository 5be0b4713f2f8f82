"""What a change of columns does to whom: breaking if somebody reads what went or changed its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from osiris_sql.plan.nodes import test_node
from osiris_sql.plan.schema_change import columns_that_changed
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.observed import Observed
from osiris_sql.types.relation import TableSchema

ALL = None
"""Which columns are read can't be told, so all are."""


@dataclass(frozen=True, kw_only=True)
class Readers:
    """For each node, who reads which of its columns."""

    by_node: Mapping[str, list[tuple[str, tuple[str, ...] | None]]]

    def of(self, node: str, column: str) -> list[str]:
        """Return the nodes that read a column, or may."""
        found = self.by_node.get(node, [])
        return sorted({r for r, names in found if names is ALL or column in map(str.lower, names)})


def find_readers(manifest: Manifest) -> Readers:
    """Return who reads what: models and data tests the columns that they name, a publication all."""
    found: dict[str, list[tuple[str, tuple[str, ...] | None]]] = {}
    for node, reader, names in _reads(manifest):
        found.setdefault(node, []).append((reader, names))
    return Readers(by_node=found)


def _reads(manifest: Manifest) -> Iterator[tuple[str, str, tuple[str, ...] | None]]:
    for model in manifest.models:
        for node in model.needs:
            yield node, model.node, model.reads.get(node, ALL)
    for test in manifest.tests:
        for node in test.reads:
            yield node, test_node(test), test.columns_read.get(node, ALL)
    for publication in manifest.publications:
        yield f"model:{publication.model}", publication.node, ALL


def describe_impact(node: str, schema: TableSchema, observed: Observed, readers: Readers) -> str:
    """Return what becomes of those below when a relation gets these columns, or nothing if they stay."""
    state = observed.state.get(node)
    if state is None or state.schema is None or state.schema == schema:
        return ""
    added, gone, retyped = columns_that_changed(state.schema, schema)
    hurt = [
        f"{name} {what}, read by {', '.join(r.partition(':')[2] for r in below)}"
        for what, names in (("is gone", gone), ("has another type", retyped))
        for name in names
        if (below := readers.of(node, name))
    ]
    if hurt:
        return f"breaking: {'; '.join(hurt)}"
    return "non-breaking: nobody reads what changed" if added or gone or retyped else ""
