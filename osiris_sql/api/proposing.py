"""The verb that writes down, for sources.yml, what tables a connection has that are not in it yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from osiris_sql.plan.connections import planned_connection
from osiris_sql.protocols import DiscoveredTable
from osiris_sql.run.discover import discover_all
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.project import Project


def propose_sources(project: Project, names: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return YAML of the tables of the named source connections (or all) that sources.yml does not have.

    Comments become descriptions, keys become data tests; a person decides what of it to keep.
    """
    ends = {c.name: c for c in project.connections if c.role == "source"}
    if wrong := [name for name in names if name not in ends]:
        raise ProjectError(*(_unknown(name, ends) for name in wrong))
    chosen = [planned_connection(ends[name]) for name in (names or sorted(ends))]
    found = discover_all(chosen, environ, Path(project.root))
    proposed = [_source(project, name, tables) for name, tables in found.items()]
    data = {"sources": [source for source in proposed if source["tables"]]}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def _source(project: Project, connection: str, found: Iterable[DiscoveredTable]) -> dict[str, Any]:
    listed = [table for table in project.sources if table.connection == connection]
    source = listed[0].source if listed else connection
    known = {table.identifier for table in listed}
    tables = [_table(source, table) for table in found if table.identifier not in known]
    own = {} if source == connection else {"connection": connection}
    return {"name": source, **own, "tables": tables}


def _table(source: str, found: DiscoveredTable) -> dict[str, Any]:
    name = plain_name(found.identifier)
    entry: dict[str, Any] = {"name": name}
    if name != found.identifier:
        entry["identifier"] = found.identifier
    if found.comment:
        entry["description"] = found.comment
    if found.rows is not None:
        entry["meta"] = {"estimated_rows": found.rows}
    if len(found.schema.key) > 1:
        unique = {"combination_of_columns": list(found.schema.key)}
        entry["data_tests"] = [{"unique_combination_of_columns": {"arguments": unique}}]
    if columns := _columns(source, found):
        entry["columns"] = columns
    return entry


def _columns(source: str, found: DiscoveredTable) -> list[dict[str, Any]]:
    tests: dict[str, list[Any]] = {}
    if len(found.schema.key) == 1:
        tests[found.schema.key[0]] = ["unique", "not_null"]
    for foreign in found.foreign_keys:
        if len(foreign.columns) == 1:
            to = f"source('{source}', '{plain_name(foreign.table)}')"
            arguments = {"to": to, "field": foreign.references[0]}
            tests.setdefault(foreign.columns[0], []).append({"relationships": {"arguments": arguments}})
    names = [column.name for column in found.schema.columns]
    return [{"name": name, "data_tests": tests[name]} for name in names if name in tests]


def plain_name(identifier: str) -> str:
    """Return a name that needs no quotes in SQL."""
    return re.sub(r"\W", "_", identifier, flags=re.ASCII) if identifier else "_"


def _unknown(name: str, ends: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        rule="unknown-connection",
        message=f'there is no source connection "{name}"',
        why=f"sources.yml has: {', '.join(sorted(ends))}",
    )
