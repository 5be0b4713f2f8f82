"""Plans that look and change nothing: the rows of a model, and whether connections answer."""

from __future__ import annotations

from dataclasses import replace

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.plan import Preview, Probe, Step


def preview_steps(manifest: Manifest, name: str, limit: int) -> list[Step]:
    """Return the step that shows the first rows of a model or source table, from what is built."""
    for model in manifest.models:
        if model.name == name:
            ephemeral = model.config.materialized == "ephemeral"
            sql = model.sql if ephemeral else f"SELECT * FROM {model.relation.sql}"
            return [_preview(name, model.node, sql, limit, model.location)]
    for source in manifest.sources:
        if name in (str(source.relation), source.node.partition(":")[2]):
            sql = f"SELECT * FROM {source.relation.sql}"
            shown = _preview(name, source.node, sql, limit, source.table.location)
            return [replace(shown, where=source.table.extract.where)]
    names = [*(m.name for m in manifest.models), *(s.node.partition(":")[2] for s in manifest.sources)]
    raise ProjectError(
        Diagnostic(
            rule="unknown-relation",
            message=f'there is no model or source table "{name}"',
            fix=did_you_mean(name, names, "`osiris-sql ls` lists what there is"),
        )
    )


def _preview(name: str, node: str, sql: str, limit: int, location: Location) -> Preview:
    return Preview(id=f"preview.{name}", node=node, why="asked for", sql=sql, limit=limit, location=location)


def probe_steps(manifest: Manifest) -> list[Step]:
    """Return a step for every connection of the environment."""
    return [
        Probe(
            id=f"probe.{connection.role}.{connection.name}",
            node=f"{connection.role}:{connection.name}",
            why="asked for",
            connection=connection.name,
            role=connection.role,
            location=connection.location,
        )
        for connection in sorted(manifest.connections, key=lambda c: (c.role, c.name))
    ]
