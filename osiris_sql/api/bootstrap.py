"""The SQL that some targets want to be run once, for a person to read, or run over their connection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from osiris_sql.plan.connections import planned_connection
from osiris_sql.run.connections import open_end
from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.manifest import Manifest


def bootstrap_targets(manifest: Manifest, environ: Mapping[str, str], *, install: bool) -> dict[str, str]:
    """Return the SQL of each target connection that has some; with `install` it has been run.

    Raises ProjectError if no target has any, or a connection can't run it.
    """
    found: dict[str, str] = {}
    for connection in sorted(manifest.connections, key=lambda c: c.name):
        if connection.role != "target":
            continue
        plugin = load_plugin("targets", connection.type)
        if not hasattr(plugin, "bootstrap"):
            continue
        published = {p.schema for p in manifest.publications if p.connection == connection.name and p.schema}
        own = str(connection.options.get("schema", "public"))
        found[connection.name] = plugin.bootstrap(sorted({own, *published}))
        if install:
            planned = planned_connection(connection)
            open_end(planned, environ, Path(manifest.root), Redactor()).install(found[connection.name])
    if not found:
        fix = "targets.yml: connections of type supabase have it"
        raise ProjectError(Diagnostic(rule="no-bootstrap", message="no target needs it", fix=fix))
    return found
