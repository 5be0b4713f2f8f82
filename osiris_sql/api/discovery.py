"""The verb that asks sources for their schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from osiris_sql.plan.connections import planned_connection
from osiris_sql.project.lockfile import merge_lock, read_lock, write_lock
from osiris_sql.run.discover import discover_tables
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.project import Project
from osiris_sql.types.relation import TableSchema


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    """What `discover` found new about a source table, against sources.lock; `missing` has no table."""

    node: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    missing: bool = False


def discover_sources(
    project: Project, names: Sequence[str], environ: Mapping[str, str]
) -> list[SourceChange]:
    """Ask the named sources (or all) for their tables' schemas and write sources.lock.

    A table that the source does not have keeps its old entry, and is reported as missing.
    """
    _refuse_unknown_sources(project, names)
    tables = [t for t in project.sources if not names or t.source in names]
    wanted: dict[str, list[str]] = {}
    for table in tables:
        wanted.setdefault(table.connection, []).append(table.identifier)
    used = [c for c in project.connections if c.role == "source" and c.name in wanted]
    _refuse_wrong_connections(project, wanted.keys() - {c.name for c in used})
    root = Path(project.root)
    found = discover_tables([planned_connection(c) for c in used], wanted, environ, root)
    schemas = {(name, table.identifier): table.schema for name, listed in found.items() for table in listed}
    path = root / "sources.lock"
    old = read_lock(path.read_text() if path.exists() else "")
    fresh = {
        table.node: schemas[table.connection, table.identifier]
        for table in tables
        if (table.connection, table.identifier) in schemas
    }
    changes = [_compare(t.node, old.get(project.env, {}).get(t.node), fresh.get(t.node)) for t in tables]
    path.write_text(write_lock(merge_lock(old, project.env, fresh)))
    return changes


def _refuse_unknown_sources(project: Project, names: Sequence[str]) -> None:
    known = sorted({table.source for table in project.sources})
    wrong = tuple(
        Diagnostic(
            rule="unknown-source",
            message=f'there is no source "{name}"',
            why=f"sources.yml has: {', '.join(known)}",
        )
        for name in names
        if name not in known
    )
    if wrong:
        raise ProjectError(*wrong)


def _refuse_wrong_connections(project: Project, names: AbstractSet[str]) -> None:
    """A connection whose description has a mistake was left out when the project was loaded."""
    mistakes = (d for d in project.diagnostics if d.location and d.location.path == "sources.yml")
    if names:  # what is not discovered yet is why we are here
        raise ProjectError(*(d for d in mistakes if d.rule != "undiscovered-source"))


def _compare(node: str, old: TableSchema | None, new: TableSchema | None) -> SourceChange:
    if new is None:
        return SourceChange(node=node, missing=True)
    before = {c.name: c.type for c in old.columns} if old else {}
    after = {c.name: c.type for c in new.columns}
    both = before.keys() & after.keys()
    return SourceChange(
        node=node,
        added=tuple(f"{n} {t}" for n, t in after.items() if n not in before),
        removed=tuple(n for n in before if n not in after),
        retyped=tuple(f"{n} {before[n]} → {after[n]}" for n in after if n in both and before[n] != after[n]),
    )
