"""COPY into the table itself, where it holds nothing yet and stores what COPY reads."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import check_arrived
from osiris_sql.targets.supabase.apply import Changes, lock_table
from osiris_sql.targets.supabase.catalog import Table
from osiris_sql.targets.supabase.copying import copy_rows
from osiris_sql.targets.supabase.delivery import Delivery
from osiris_sql.targets.supabase.ledger import count_rows, is_empty
from osiris_sql.targets.supabase.staging import StagedColumn


def takes_copy(cursor: Cursor, table: Table, columns: tuple[StagedColumn, ...], *, created: bool) -> bool:
    """Say whether rows may be copied into the table itself; one that was there before is locked then.

    COPY asks no rewrite rule, is refused under row-level security, and rounds in silence; a trigger
    may write other values than those that were sent.
    """
    plain = all(column.is_plain for column in columns)
    if not plain or table.kind != "r" or table.triggers or table.rules or table.row_security:
        return False
    if created:
        return True
    if not {"UPDATE", "DELETE"} & table.privileges or not is_empty(cursor, table.sql):
        return False
    lock_table(cursor, table)
    return is_empty(cursor, table.sql)


def fill_empty(
    cursor: Cursor, delivery: Delivery, table: Table, columns: tuple[StagedColumn, ...]
) -> Changes:
    """Copy the spool file into an empty table; raises StepError unless every row is in it."""
    copy_rows(cursor, delivery, table.sql, (column.sql for column in columns))
    total = count_rows(cursor, table.sql)
    check_arrived(delivery.publication, delivery.load.rows, total, what="rows were sent")
    return Changes(inserted=total, total_after=total)
