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


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """What was dropped from the warehouse, and the histories that are kept because nobody named them."""

    dropped: tuple[str, ...]
    kept: tuple[str, ...] = ()


def drop_leftovers(manifest: Manifest, engine: str = "duckdb") -> Dropped:
    """Drop the relations that the project no longer makes; a snapshot is kept."""
    warehouse = Path(manifest.root, manifest.warehouse)
    found = find_leftovers(manifest, read_state(warehouse, engine, while_running=False))
    doomed: list[Leftover] = [each for each in found if not each.history]
    if doomed:
        drop_relations(warehouse, {each.node: each.relation for each in doomed}, engine)
    return Dropped(
        dropped=tuple(each.node for each in doomed), kept=tuple(each.node for each in found if each.history)
    )


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
    nodes = [by_name[name] for name in names]
    drop_relations(warehouse, {node: relation_of(node) for node in nodes}, engine)
    return Dropped(dropped=tuple(nodes))
