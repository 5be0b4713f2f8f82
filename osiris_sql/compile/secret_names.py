"""Which environment variables feed a secret: SQL may not read those."""

from collections.abc import Iterable
from typing import get_type_hints

from osiris_sql.support.plugins import Kind, load_plugin
from osiris_sql.support.secrets import all_env_names
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.project import Connection, Project


def secret_env_names(project: Project) -> frozenset[str]:
    """Return the variables that the secret options of the project's connections are made of."""
    found: set[str] = set()
    for connection in project.connections:
        if all_env_names(connection.options):
            found |= set(_secrets_of(connection))
    return frozenset(found)


def _secrets_of(connection: Connection) -> Iterable[str]:
    kind: Kind = "sources" if connection.role == "source" else "targets"
    try:
        hints = get_type_hints(load_plugin(kind, connection.type).Options)
    except ProjectError:
        # The wrong type was reported while loading; every variable of it might be a secret.
        return all_env_names(connection.options)
    secret = (key for key in connection.options if "Secret" in str(hints.get(key, "Secret")))
    return {name for key in secret for name in all_env_names(connection.options[key])}
