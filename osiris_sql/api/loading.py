"""The verb that reads a project's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from osiris_sql import project as files
from osiris_sql.plan.connections import planned_connection
from osiris_sql.project.seeds import seed_schema
from osiris_sql.run.discover import discover_tables
from osiris_sql.types.diagnostic import Diagnostic, OsirisError
from osiris_sql.types.project import Project, SourceTable
from osiris_sql.types.relation import TableSchema


def load_project(
    start: Path,
    *,
    env: str | None = None,
    vars: Mapping[str, object] | None = None,  # noqa: A002 - dbt's word
) -> Project:
    """Return the project that `start` is in; see `osiris_sql.project.load_project`.

    The columns of seeds are those of their files, all rows read: a row that can't be is a diagnostic.
    """
    project = files.load_project(start, env=env, vars=vars)
    schemas: dict[str, TableSchema] = {}
    found: list[Diagnostic] = []
    for seed in project.seeds:
        try:
            schemas[seed.node], wrong = seed_schema(seed, _read_header(project, seed))
            found += wrong
        except OsirisError as error:
            found += error.diagnostics
    return replace(
        project, schemas={**project.schemas, **schemas}, diagnostics=(*project.diagnostics, *found)
    )


def _read_header(project: Project, seed: SourceTable) -> TableSchema:
    [connection] = [c for c in project.connections if (c.name, c.role) == (seed.connection, "source")]
    wanted = {connection.name: [seed.identifier]}
    [[table]] = discover_tables([planned_connection(connection)], wanted, {}, Path(project.root)).values()
    return table.schema
