"""The history of a snapshot: versions of rows, half-open in time, none empty and none overlapping.

A change at the very instant at which the current version begins takes its place: no time lies between.
"""

from __future__ import annotations

import duckdb

from osiris_sql.engines.duckdb.increments import INCREMENT, refuse_repeated
from osiris_sql.engines.duckdb.run_clock import bind_run_clock
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.manifest import SnapshotSpec
from osiris_sql.types.relation import RelationRef, quote_identifier

VERSIONS = RelationRef("temp", "osiris_versions")
GONE = RelationRef("temp", "osiris_gone")
SHOWN = 3


def refuse_unfit(cursor: duckdb.DuckDBPyConnection, rows: RelationRef, spec: SnapshotSpec) -> None:
    """Raise StepError unless each row has a key of its own and a time."""
    refuse_repeated(cursor, rows, spec.key)
    timeless = _keys(
        cursor, spec, f"SELECT * FROM {rows.sql} WHERE {quote_identifier(spec.valid_from)} IS NULL"
    )
    if timeless:
        raise StepError(
            Diagnostic(
                rule="no-updated-at",
                message="rows of the snapshot have no updated_at",
                why=f"it is NULL for {timeless}",
                fix="give each row a time in the query, or use strategy='check'",
            )
        )


def keep_versions(
    cursor: duckdb.DuckDBPyConnection, relation: RelationRef, sql: str, run_clock: str, spec: SnapshotSpec
) -> dict[str, int]:
    """Bring a history up to date with the rows that a query gives now, as first versions; return how many
    rows were `inserted`, `updated` and `deleted`. Raises StepError for rows that can't be told apart, and
    for times before what the history holds."""
    cursor.execute(f"CREATE TEMP TABLE osiris_increment AS\n{bind_run_clock(sql, run_clock)}").fetchall()
    refuse_unfit(cursor, INCREMENT, spec)
    history = _History(cursor, relation, spec, run_clock)
    history.refuse_earlier()
    counts = history.find_changes()
    history.write_versions()
    counts["deleted"] = history.end_deleted() if spec.hard_deletes != "ignore" else 0
    cursor.execute(f"DROP TABLE {INCREMENT.sql}")
    return counts


class _History:
    """A snapshot beside the rows as they are now; `c` is a current version, `i` a row, `n` a new version."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, relation: RelationRef, spec: SnapshotSpec, run_clock: str
    ) -> None:
        self._cursor, self._relation, self._spec = cursor, relation, spec
        self._from, self._to = quote_identifier(spec.valid_from), quote_identifier(spec.valid_to)
        self._names = ", ".join(
            quote_identifier(row[0]) for row in cursor.execute(f"DESCRIBE {INCREMENT.sql}").fetchall()
        )
        instant = f"TIMESTAMPTZ '{run_clock}'"
        zoned = spec.instant == "TIMESTAMP WITH TIME ZONE"
        self._now = instant if zoned else f"CAST(CAST({instant} AS TIMESTAMP) AS {spec.instant})"
        deleted = quote_identifier(spec.is_deleted) if spec.is_deleted else None
        self._was_deleted = f"coalesce(c.{deleted}, false)" if deleted else "false"
        compared = (f"c.{q} IS DISTINCT FROM i.{q}" for q in map(quote_identifier, spec.compare))
        self._differs = f"({' OR '.join(compared)})"

    def _same(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{q} = {other}.{q}" for q in map(quote_identifier, self._spec.key))

    def _run(self, sql: str) -> int:
        found = self._cursor.execute(sql).fetchall()
        return int(found[0][0]) if found else 0

    @property
    def _pairs(self) -> str:
        """Each row beside its current version."""
        return (
            f"FROM {INCREMENT.sql} AS i JOIN {self._relation.sql} AS c ON {self._same('c', 'i')}"
            f" AND c.{self._to} IS NULL"
        )

    def refuse_earlier(self) -> None:
        """Raise StepError for a change that lies before the version that it would end."""
        changed = f"{self._pairs} WHERE NOT {self._was_deleted} AND {self._differs}"
        time = quote_identifier(self._spec.updated_at)
        earlier = _keys(self._cursor, self._spec, f"SELECT i.* {changed} AND i.{time} < c.{time}")
        if not earlier:
            return
        if self._spec.strategy == "timestamp":
            message = "rows changed, but their updated_at is older than that of the version in the snapshot"
            fix = "correct updated_at at the source, or use strategy='check', which needs none"
        else:
            message = "the run clock is before the versions that rows would end"
            fix = "run it at a later --as-of"
        raise StepError(Diagnostic(rule="history-runs-back", message=message, why=earlier, fix=fix))

    def find_changes(self) -> dict[str, int]:
        """Write the new versions beside the history."""
        since, now, to = self._from, self._now, self._to
        keys = ", ".join(map(quote_identifier, self._spec.key))
        came_back = f"CASE WHEN i.{since} >= {{0}} THEN i.{since} ELSE greatest({now}, {{0}}) END"
        ended = f"SELECT {keys}, max({to}) AS osiris_ended FROM {self._relation.sql} GROUP BY {keys}"
        current = f"SELECT 1 FROM {self._relation.sql} AS c WHERE {self._same('c', 'i')} AND c.{to} IS NULL"
        self._run(
            f"""CREATE TEMP TABLE osiris_versions AS
            SELECT i.* REPLACE (greatest(i.{since}, c.{since}) AS {since}), true AS osiris_known
            {self._pairs} WHERE NOT {self._was_deleted} AND {self._differs}
            UNION ALL SELECT i.* REPLACE ({came_back.format(f"c.{since}")} AS {since}), false
            {self._pairs} WHERE {self._was_deleted}
            UNION ALL SELECT i.* REPLACE (
              CASE WHEN h.osiris_ended IS NULL THEN i.{since} ELSE {came_back.format("h.osiris_ended")} END
              AS {since}), false
            FROM {INCREMENT.sql} AS i LEFT JOIN ({ended}) AS h ON {self._same("h", "i")}
            WHERE NOT EXISTS ({current})"""
        )
        known = self._run(f"SELECT count(*) FROM {VERSIONS.sql} WHERE osiris_known")
        return {"inserted": self._run(f"SELECT count(*) FROM {VERSIONS.sql}") - known, "updated": known}

    def write_versions(self) -> None:
        """End the versions that changed, and begin the new ones."""
        same, table = self._same("t", "n"), self._relation.sql
        replaced = f"{same} AND t.{self._from} >= n.{self._from}"
        self._run(f"DELETE FROM {table} AS t USING {VERSIONS.sql} AS n WHERE {replaced}")
        self._run(
            f"UPDATE {table} AS t SET {self._to} = n.{self._from} FROM {VERSIONS.sql} AS n"
            f" WHERE {same} AND t.{self._to} IS NULL"
        )
        self._insert(f"SELECT * EXCLUDE (osiris_known) FROM {VERSIONS.sql}")
        self._cursor.execute(f"DROP TABLE {VERSIONS.sql}")

    def end_deleted(self) -> int:
        """End the versions of rows that are no longer there; return how many."""
        table, same = self._relation.sql, self._same("t", "n")
        self._run(
            f"CREATE TEMP TABLE osiris_gone AS SELECT c.*, greatest({self._now}, c.{self._from}) AS osiris_at"
            f" FROM {table} AS c WHERE c.{self._to} IS NULL AND NOT {self._was_deleted}"
            f" AND NOT EXISTS (SELECT 1 FROM {INCREMENT.sql} AS i WHERE {self._same('c', 'i')})"
        )
        at, gone = "osiris_at", f"{GONE.sql} AS n"
        if self._spec.is_deleted:
            self._run(f"DELETE FROM {table} AS t USING {gone} WHERE {same} AND t.{self._from} >= n.{at}")
        self._run(
            f"UPDATE {table} AS t SET {self._to} = n.{at} FROM {gone} WHERE {same} AND t.{self._to} IS NULL"
        )
        if self._spec.is_deleted:
            time, deleted = quote_identifier(self._spec.updated_at), quote_identifier(self._spec.is_deleted)
            self._insert(
                f"SELECT * EXCLUDE ({at}) REPLACE ({at} AS {self._from}, {at} AS {time}, true AS {deleted})"
                f" FROM {GONE.sql}"
            )
        count = self._run(f"SELECT count(*) FROM {GONE.sql}")
        self._cursor.execute(f"DROP TABLE {GONE.sql}")
        return count

    def _insert(self, versions: str) -> None:
        name = quote_identifier(self._spec.scd_id)
        named = f"SELECT * REPLACE ({self._spec.version_id} AS {name}) FROM ({versions})"
        self._run(f"INSERT INTO {self._relation.sql} ({self._names}) SELECT {self._names} FROM ({named})")


def _keys(cursor: duckdb.DuckDBPyConnection, spec: SnapshotSpec, rows: str) -> str:
    """Return the first keys of rows in words, with their count; nothing of no rows."""
    keys = ", ".join(map(quote_identifier, spec.key))
    [(count,)] = cursor.execute(f"SELECT count(*) FROM ({rows})").fetchall()
    if not count:
        return ""
    found = cursor.execute(f"SELECT {keys} FROM ({rows}) ORDER BY ALL LIMIT {SHOWN}").fetchall()
    shown = ", ".join(" ".join(str(value) for value in key) for key in found)
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    return f"{', '.join(spec.key)} = {shown}{more}"
