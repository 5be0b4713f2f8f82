"""Which rows of a source table nobody needs: those that the filters of all of its readers leave out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from osiris_sql.support.plugins import load_plugin, plugin_names
from osiris_sql.types.project import Project, SourceTable
from osiris_sql.types.relation import Comparison, RowFilter, TableSchema

_MOST_GROUPS = 16


def needed_rows(
    project: Project, table: SourceTable, schema: TableSchema, seen: Sequence[RowFilter]
) -> RowFilter:
    """Return a filter that lets all rows pass that any reader of the table sees; `seen` are the filters of
    them all."""
    if not seen or not all(seen) or not _takes_filters(project, table):
        return ()
    told = _told_alike(project, table, schema)
    groups = {tuple(c for c in group if c.column in told) for one in seen for group in one}
    if not all(groups) or len(groups) > _MOST_GROUPS:
        return ()
    return tuple(sorted(_widest(groups), key=repr))


def _takes_filters(project: Project, table: SourceTable) -> bool:
    known = plugin_names("sources")
    found = (c.type for c in project.connections if c.role == "source" and c.name == table.connection)
    return any(getattr(load_plugin("sources", t), "FILTERS", False) for t in found if t in known)


def _told_alike(project: Project, table: SourceTable, schema: TableSchema) -> set[str]:
    """Return the columns whose values are at the source what models see.

    Of an increment only the key: a row that passes no longer must still replace the one it was.
    """
    recorded = project.locked.get(table.node)
    if recorded is None:
        return set()
    settled = {spec.name.lower() for spec in table.columns if spec.on_invalid != "error"}
    key = {name.lower() for name in table.extract.key}
    return {
        c.name
        for c in schema.columns
        if recorded.type_of(c.name) == c.type
        and c.name.lower() not in settled
        and (table.extract.mode == "full" or c.name.lower() in key)
    }


def _widest(groups: set[tuple[Comparison, ...]]) -> Iterator[tuple[Comparison, ...]]:
    """Yield the groups without those that say more than another one."""
    yield from (group for group in groups if not any(set(other) < set(group) for other in groups))
