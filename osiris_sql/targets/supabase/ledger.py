"""`osiris.publications`: what was delivered, written in the same transaction as the rows."""

from dataclasses import dataclass
from importlib.resources import files

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.protocols import Load
from osiris_sql.types.plan import Publish

# A delivery is one call; a load is one content. The same load may come again after another one (A, B, A),
# so it is no key: under the table's lock the last row says whether there is anything to do.
LEDGER_SQL = files("osiris_sql.targets.supabase").joinpath("ledger.sql").read_text("utf-8")
_COUNTS = "rows_in, inserted, updated, unchanged, deleted, total_after"
_SINCE = (
    "coalesce((SELECT max(seq) FROM osiris.publications WHERE target = %(target)s"
    " AND (created OR mode IN ('replace', 'sync'))), 0)"
)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What one delivery counted; `load_id` says of what, `created` that it made the table."""

    load_id: str
    rows_in: int
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    total_after: int = 0
    created: bool = False


def lock(cursor: Cursor, name: str) -> None:
    """Wait for the advisory lock of that name; the transaction's end frees it."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('osiris:' || %s, 0))", (name,))


def ensure_ledger(cursor: Cursor) -> None:
    """Create the ledger, once: two at the same time would break each other's catalog index."""
    if not ledger_exists(cursor):
        lock(cursor, "")
        if not ledger_exists(cursor):
            cursor.execute(LEDGER_SQL)


def ledger_exists(cursor: Cursor) -> bool:
    """Say whether somebody has published into this database before."""
    cursor.execute("SELECT to_regclass('osiris.publications') IS NOT NULL")
    return _one(cursor)[0] is True


def find_delivery(cursor: Cursor, delivery: str) -> Receipt | None:
    """Return what this very delivery wrote, or None if it was never committed."""
    cursor.execute(
        f"SELECT load_id, {_COUNTS}, created FROM osiris.publications WHERE delivery = %s", (delivery,)
    )
    return _receipt(cursor.fetchone())


def last_delivery(cursor: Cursor, target: str) -> Receipt | None:
    """Return the last delivery into a table."""
    cursor.execute(
        f"SELECT load_id, {_COUNTS}, created FROM osiris.publications WHERE target = %s"
        " ORDER BY seq DESC LIMIT 1",
        (target,),
    )
    return _receipt(cursor.fetchone())


def latest_of_series(cursor: Cursor, target: str, series: str) -> str | None:
    """Return the last load of a series in the table, if no later delivery made or emptied the table."""
    cursor.execute(
        "SELECT load_id FROM osiris.publications WHERE target = %(target)s"
        f" AND starts_with(load_id, %(series)s) AND seq >= {_SINCE} ORDER BY seq DESC LIMIT 1",
        {"target": target, "series": f"{series}."},
    )
    row = cursor.fetchone()
    return row[0] if row else None


def was_appended(cursor: Cursor, target: str, load_id: str) -> bool:
    """Say whether an appended load is in the table, and no later delivery made or emptied the table."""
    cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM osiris.publications WHERE target = %(target)s AND load_id = %(load)s"
        f" AND seq >= {_SINCE})",
        {"target": target, "load": load_id},
    )
    return _one(cursor)[0] is True


def was_created(cursor: Cursor, target: str) -> bool:
    """Say whether a delivery made the table."""
    if not ledger_exists(cursor):
        return False
    cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM osiris.publications WHERE target = %s AND created)", (target,)
    )
    return _one(cursor)[0] is True


def write_delivery(
    cursor: Cursor, publication: Publish, target: str, delivery: str, load: Load, receipt: Receipt
) -> None:
    """Add the row of a delivery, in the transaction that holds its rows."""
    cursor.execute(
        f"INSERT INTO osiris.publications (delivery, load_id, run_id, step, target, mode, fingerprint,"
        f" created, {_COUNTS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            delivery,
            load.load_id,
            load.run_id,
            publication.id,
            target,
            publication.mode,
            f"{load.data.algorithm}:{load.data.digest}",
            receipt.created,
            receipt.rows_in,
            receipt.inserted,
            receipt.updated,
            receipt.unchanged,
            receipt.deleted,
            receipt.total_after,
        ),
    )


def count_rows(cursor: Cursor, table: str) -> int:
    """Return the rows of a table, given its quoted name."""
    cursor.execute(f"SELECT count(*) FROM {table}")
    return int(_one(cursor)[0])


def is_empty(cursor: Cursor, table: str) -> bool:
    """Say whether a table has no row, given its quoted name."""
    cursor.execute(f"SELECT NOT EXISTS (SELECT 1 FROM {table})")
    return _one(cursor)[0] is True


def _receipt(row: tuple | None) -> Receipt | None:  # type: ignore[type-arg]
    if row is None:
        return None
    names = ("load_id", "rows_in", "inserted", "updated", "unchanged", "deleted", "total_after", "created")
    return Receipt(**dict(zip(names, row, strict=True)))


def _one(cursor: Cursor) -> tuple:  # type: ignore[type-arg]
    row = cursor.fetchone()
    assert row is not None
    return row
