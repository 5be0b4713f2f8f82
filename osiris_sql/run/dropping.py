"""Drops relations from a warehouse, with what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from osiris_sql.protocols import Engine
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.relation import RelationRef


def drop_relations(
    warehouse: Path,
    relations: Mapping[str, RelationRef | None],
    keep_batches: Iterable[RelationRef],
    engine: str = "duckdb",
) -> list[str]:
    """Drop the relations of these nodes (None: there is none to drop) and forget the nodes, in one
    transaction; then the batches that stopped runs left of models that are not to be kept, whose names are
    returned. Raises UnreachableError while a run holds the warehouse."""
    plugin: type[Engine] = load_plugin("engines", engine)
    with hold_warehouse(warehouse, "cleaning"):
        opened = plugin(warehouse, {}, read_only=False)
        try:
            with opened.transaction() as transaction:
                for node, relation in relations.items():
                    if relation is not None:
                        transaction.drop(relation)
                    transaction.forget(node)
            return opened.drop_batches(keep_batches)
        finally:
            opened.close()
