"""The instant that is read: where the server's log stands at it, and several connections that share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osiris_sql.sources.mysql.connect import Connection, is_mariadb, query

BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
TRIES = 5


@dataclass(frozen=True)
class Instant:
    """Connections that see the same rows; `position` in the server's log, or why it is not known, and
    `alone` says why there is only one, where more were wished for."""

    connections: tuple[Connection, ...]
    position: str | None = None
    alone: str = ""


def begin_instant(connections: Sequence[Connection], mode: str) -> Instant:
    """Fix one instant for all connections, as the option `snapshot` says: `none` fixes none."""
    if mode == "none":
        return Instant(tuple(connections))
    return _begin_locked(connections) if mode == "lock" else _begin_proven(connections)


def why_alone(connection: Connection, mode: str) -> str:
    """Say why several connections can't read as of one instant, where that is asked of them; else ""."""
    return _position_proves_nothing(connection) if mode == "consistent" else ""


def _begin_proven(connections: Sequence[Connection]) -> Instant:
    """One instant for all connections, if they prove to have the same, else for the first."""
    first = connections[0]
    if len(connections) == 1:
        return Instant((first,), _begin(first))
    if why := _position_proves_nothing(first):
        return Instant((first,), _begin(first), alone=why)
    for _ in range(TRIES):
        positions = [_begin(connection) for connection in connections]
        if len(set(positions)) == 1:
            return Instant(tuple(connections), positions[0])
    for other in connections[1:]:
        query(other, "ROLLBACK")
    return Instant((first,), positions[0], alone=f"others wrote between the snapshots, {TRIES} times")


def _begin_locked(connections: Sequence[Connection]) -> Instant:
    """One instant for all connections, fixed while nobody may write, which takes a moment."""
    first = connections[0]
    query(first, "FLUSH TABLES WITH READ LOCK")
    try:
        positions = [_begin(connection) for connection in connections]
    finally:
        query(first, "UNLOCK TABLES")
    return Instant(tuple(connections), positions[0])


def _begin(connection: Connection) -> str:
    before = _logged_gtids(connection)
    query(connection, BEGIN)
    after = _logged_gtids(connection)
    if is_mariadb(connection):
        return _mariadb_position(connection) + (f" (GTID {after})" if after and before == after else "")
    # MySQL does not tell a snapshot's position; if nothing was committed around it, this is it.
    if before == after:
        return after or "unknown: the server's transactions have no GTIDs"
    return f"unknown: others committed meanwhile; between {before} and {after}"


def _position_proves_nothing(connection: Connection) -> str:
    """Say why two equal positions would not mean two equal snapshots."""
    if not is_mariadb(connection):
        return "MySQL does not tell the position of a snapshot"
    [(log, replica, logged)] = query(
        connection, "SELECT @@log_bin, @@global.gtid_slave_pos, @@log_slave_updates"
    )
    if not log:
        return "the server writes no binary log, whose position would prove that snapshots are the same"
    return "a replica that logs no updates has the same position always" if replica and not logged else ""


def _mariadb_position(connection: Connection) -> str:
    status: dict[str, Any] = dict(query(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'"))
    file, offset = status.get("Binlog_snapshot_file"), status.get("Binlog_snapshot_position")
    if not file:
        return "unknown: the server writes no binary log"
    return f"{file}:{offset}"


def _logged_gtids(connection: Connection) -> str:
    """The last transactions in the server's log, which it knows by heart: to find those of a position,
    MariaDB reads its log up to there, and finds none behind an event above `max_allowed_packet`."""
    name = "gtid_binlog_pos" if is_mariadb(connection) else "gtid_executed"
    [(gtids,)] = query(connection, f"SELECT @@global.{name}")
    return str(gtids or "").replace("\n", "")
