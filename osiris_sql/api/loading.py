"""The verb that reads a project's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from osiris_sql.project.kept import keep_project, recall_project
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
    What did not change is read from `.osiris/cache`.
    """
    project = recall_project(start, env) or _load(start, env)
    return replace(project, vars={**project.vars, **(vars or {})})


def _load(start: Path, env: str | None) -> Project:
    # Imported here: where nothing changed, nothing of it is needed.
    from osiris_sql.project.load import load_from_files
    from osiris_sql.project.seeds import seed_schema

    project, disk = load_from_files(start, env=env)
    schemas: dict[str, TableSchema] = {}
    found: list[Diagnostic] = []
    for seed in project.seeds:
        try:
            schemas[seed.node], wrong = seed_schema(seed, _read_header(project, seed))
            found += wrong
        except OsirisError as error:
            found += error.diagnostics
    project = replace(
        project, schemas={**project.schemas, **schemas}, diagnostics=(*project.diagnostics, *found)
    )
    keep_project(project, disk, env)
    return project


def _read_header(project: Project, seed: SourceTable) -> TableSchema:
    from osiris_sql.plan.connections import planned_connection
    from osiris_sql.run.discover import discover_tables

    [connection] = [c for c in project.connections if (c.name, c.role) == (seed.connection, "source")]
    wanted = {connection.name: [seed.identifier]}
    [[table]] = discover_tables([planned_connection(connection)], wanted, {}, Path(project.root)).values()
    return table.schema
