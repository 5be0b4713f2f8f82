"""The verb that removes relations which nobody makes any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osiris_sql.plan.leftovers import Leftover, find_leftovers, relation_of
from osiris_sql.run.dropping import drop_relations
from osiris_sql.run.observe import read_state
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.relation import RelationRef


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """What was dropped from the warehouse, and the histories that are kept because nobody named them.

    `batches` are the models of whose unfinished builds batches were left.
    """

    dropped: tuple[str, ...]
    batches: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def drop_leftovers(manifest: Manifest, engine: str = "duckdb") -> Dropped:
    """Drop the relations that the project no longer makes; a snapshot is kept."""
    warehouse = Path(manifest.root, manifest.warehouse)
    if not warehouse.exists():
        return Dropped(dropped=())
    found = find_leftovers(manifest, read_state(warehouse, engine, while_running=False))
    doomed: list[Leftover] = [each for each in found if not each.history]
    gone = {each.node: each.relation for each in doomed}
    batches = drop_relations(warehouse, gone, _in_batches(manifest), engine)
    kept = tuple(each.node for each in found if each.history)
    return Dropped(dropped=tuple(gone), batches=tuple(batches), kept=kept)


def drop_named(manifest: Manifest, names: Sequence[str], engine: str = "duckdb") -> Dropped:
    """Drop the relations of these names, histories too; raises ProjectError for one that is not there."""
    warehouse = Path(manifest.root, manifest.warehouse)
    state = read_state(warehouse, engine, while_running=False)
    by_name = {node.partition(":")[2]: node for node in state if relation_of(node)}
    wrong = tuple(
        Diagnostic(
            rule="unknown-relation",
            message=f"nothing called {name} was built in {manifest.env}",
            why=f"there are: {', '.join(sorted(by_name)) or 'none'}",
        )
        for name in names
        if name not in by_name
    )
    if wrong:
        raise ProjectError(*wrong)
    named = {by_name[name]: relation_of(by_name[name]) for name in names}
    keep = [relation for relation in _in_batches(manifest) if relation not in named.values()]
    return Dropped(dropped=tuple(named), batches=tuple(drop_relations(warehouse, named, keep, engine)))


def _in_batches(manifest: Manifest) -> list[RelationRef]:
    return [model.relation for model in manifest.models if model.batches]
