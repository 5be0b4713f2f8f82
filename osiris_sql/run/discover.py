"""Asks sources what tables they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from osiris_sql.protocols import DiscoveredTable
from osiris_sql.run.connections import Connections, check_environ
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.plan import PlannedConnection


def discover_tables(
    connections: Sequence[PlannedConnection],
    wanted: Mapping[str, Sequence[str]],
    environ: Mapping[str, str],
    root: Path,
) -> dict[str, list[DiscoveredTable]]:
    """Return, by connection, the tables found under the wanted identifiers; absent ones are left out."""
    check_environ(connections, environ)
    ends = Connections(connections, environ, root, Redactor())
    return {name: ends.source(name).discover(tables) for name, tables in sorted(wanted.items())}


def discover_all(
    connections: Sequence[PlannedConnection], environ: Mapping[str, str], root: Path
) -> dict[str, list[DiscoveredTable]]:
    """Return, by connection, all of its tables."""
    check_environ(connections, environ)
    ends = Connections(connections, environ, root, Redactor())
    return {each.name: ends.source(each.name).discover(None) for each in connections}
