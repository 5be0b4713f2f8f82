"""`osiris.publications` inside the target's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris_sql.protocols import Load, Published
from osiris_sql.targets._rows import Changes, number
from osiris_sql.types.plan import Publish

if TYPE_CHECKING:
    import duckdb

_CREATE = """
CREATE TABLE IF NOT EXISTS osiris.publications (
    seq BIGINT NOT NULL, load_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, step VARCHAR NOT NULL,
    target VARCHAR NOT NULL, mode VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, created BOOLEAN NOT NULL,
    rows_in BIGINT NOT NULL, inserted BIGINT NOT NULL, updated BIGINT NOT NULL, unchanged BIGINT NOT NULL,
    deleted BIGINT NOT NULL, total_after BIGINT NOT NULL, "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
)"""


_SINCE = (
    "coalesce((SELECT max(seq) FROM osiris.publications WHERE target = $1"
    " AND (created OR mode IN ('replace', 'sync'))), 0)"
)


def ensure_ledger(cursor: duckdb.DuckDBPyConnection) -> None:
    """Create the ledger where there is none."""
    cursor.execute("CREATE SCHEMA IF NOT EXISTS osiris")
    cursor.execute(_CREATE)


def ledger_exists(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Say whether somebody has published into this file before."""
    return bool(
        number(
            cursor,
            "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database()"
            " AND schema_name = 'osiris' AND table_name = 'publications'",
        )
    )


def latest_load(cursor: duckdb.DuckDBPyConnection, target: str, mode: str, rows: int) -> str | None:
    """Return the load id that was delivered last, if the table still has as many rows as then.

    Rows appended before stay delivered whatever else was added or removed.
    """
    last = cursor.execute(
        "SELECT load_id, total_after FROM osiris.publications WHERE target = ? ORDER BY seq DESC LIMIT 1",
        [target],
    ).fetchone()
    return str(last[0]) if last and (mode == "append" or last[1] == rows) else None


def latest_of_series(cursor: duckdb.DuckDBPyConnection, target: str, series: str) -> str | None:
    """Return the last load of a series in the table, if no later delivery made or emptied the table."""
    found = cursor.execute(
        "SELECT load_id FROM osiris.publications WHERE target = $1 AND starts_with(load_id, $2)"
        f" AND seq >= {_SINCE} ORDER BY seq DESC LIMIT 1",
        [target, f"{series}."],
    ).fetchone()
    return str(found[0]) if found else None


def was_appended(cursor: duckdb.DuckDBPyConnection, target: str, load_id: str) -> bool:
    """Say whether an appended load is in the table, and no later delivery made or emptied the table."""
    row = cursor.execute(
        f"SELECT count(*) FROM osiris.publications WHERE target = $1 AND load_id = $2 AND seq >= {_SINCE}",
        [target, load_id],
    ).fetchone()
    return bool(row and row[0])


def write_delivery(
    cursor: duckdb.DuckDBPyConnection,
    publication: Publish,
    target: str,
    load: Load,
    changes: Changes,
    *,
    created: bool,
) -> int:
    """Add the row of a delivery, in the transaction that holds its rows, and return its number."""
    seq = number(cursor, "SELECT coalesce(max(seq), 0) + 1 FROM osiris.publications")
    cursor.execute(
        "INSERT INTO osiris.publications VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, now())",
        [
            *(seq, load.load_id, load.run_id, publication.id, target, publication.mode),
            *(f"{load.data.algorithm}:{load.data.digest}", created, load.rows),
            *(changes.inserted, changes.updated, changes.unchanged, changes.deleted, changes.total_after),
        ],
    ).fetchall()
    return seq


def read_delivery(cursor: duckdb.DuckDBPyConnection, seq: int, table: str) -> Published:
    """Return a delivery as the file has it, with the rows that the table holds now."""
    row = cursor.execute(
        "SELECT rows_in, inserted, updated, deleted, unchanged FROM osiris.publications WHERE seq = ?", [seq]
    ).fetchone()
    assert row is not None
    counted = dict(zip(("sent", "inserted", "updated", "deleted", "unchanged"), row, strict=True))
    return Published(**counted, total_after=number(cursor, f"SELECT count(*) FROM {table}"))
