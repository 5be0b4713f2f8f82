"""The connections that steps use, as the plan holds them."""

from collections.abc import Iterable, Sequence
from typing import Literal

from osiris_sql.support.secrets import all_env_names
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.plan import Check, Extract, PlannedConnection, Probe, Publish, Step
from osiris_sql.types.project import Connection

Role = Literal["source", "target"]


def planned_connection(connection: Connection) -> PlannedConnection:
    """Return a connection as a plan holds it: its variables by name."""
    return PlannedConnection(
        name=connection.name,
        type=connection.type,
        role=connection.role,
        options=connection.options,
        env_names=all_env_names(connection.options),
        location=connection.location,
    )


def planned_connections(manifest: Manifest, steps: Sequence[Step]) -> tuple[PlannedConnection, ...]:
    """Return the connections that `steps` use, sorted."""
    wanted = set(_used(steps))
    found = [c for c in manifest.connections if (c.name, c.role) in wanted]
    return tuple(planned_connection(c) for c in sorted(found, key=lambda c: (c.role, c.name)))


def _used(steps: Iterable[Step]) -> Iterable[tuple[str, Role]]:
    for step in steps:
        match step:
            case Extract():
                yield step.connection, "source"
            case Publish():
                yield step.connection, "target"
            case Check() if step.connection:
                yield step.connection, "target"
            case Probe():
                yield step.connection, step.role
            case _:
                pass
