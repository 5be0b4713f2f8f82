"""The four modes: how the staged rows get into the table, and the counts that must hold before commit."""

from dataclasses import dataclass

from psycopg2.errors import UniqueViolation
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import check_deletions
from osiris_sql.targets.supabase.catalog import Table
from osiris_sql.targets.supabase.delta import Delta, find_delta
from osiris_sql.targets.supabase.staging import StagedColumn
from osiris_sql.targets.supabase.statements import DELTA, Statements
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier

# By place and not by key: a key of a unique constraint may be NULL in rows that are not ours.
_PLACE = f"{DELTA} AS d WHERE t.ctid = d.osiris_at AND t.tableoid = d.osiris_of AND d.osiris_kind"
GONE = f"{_PLACE} = 'd'"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What was done to a table, and how many rows it has now."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    total_after: int = 0


def lock_table(cursor: Cursor, table: Table) -> None:
    """Let nobody else change the rows of a table until the transaction ends; readers go on."""
    cursor.execute(f"LOCK TABLE {table.sql} IN SHARE ROW EXCLUSIVE MODE")


def apply_rows(
    cursor: Cursor, publication: Publish, table: Table, columns: tuple[StagedColumn, ...], sent: int
) -> Changes:
    """Bring the staged rows into the table by the publication's mode; StepError unless counts agree."""
    written = tuple(column for column in columns if not column.target.generated)
    work = Statements(cursor, publication, table, written, sent)
    if publication.mode in ("replace", "sync"):
        lock_table(cursor, table)
    if not publication.key:
        return _write_all(work)
    return _write_delta(work, find_delta(work))


def _write_all(work: Statements) -> Changes:
    """Add all rows, in the place of the old ones where the mode replaces."""
    deleted = (
        work.change(f"DELETE FROM {work.table.sql} WHERE true") if work.publication.mode == "replace" else 0
    )
    inserted = work.change(f"{work.insert} {work.values}")
    work.expect(work.sent, inserted, "rows were sent")
    total = work.total()
    if work.publication.mode == "replace":
        work.expect(work.sent, total, "rows were sent to replace the table")
    return Changes(inserted=inserted, deleted=deleted, total_after=total)


def _write_delta(work: Statements, delta: Delta) -> Changes:
    replaces = work.publication.mode in ("replace", "sync")
    before = work.sent - delta.inserted + delta.deleted
    if replaces:
        check_deletions(work.publication, delta.deleted, before, work.sent)
    deleted = _delete_gone(work, delta)
    work.expect(delta.deleted, deleted, "rows were to be deleted")
    inserted, updated = _write_locked(work, delta) if replaces else _write_shared(work, delta)
    if work.may_rewrite or (inserted, updated) != (delta.inserted, delta.updated):
        _check_there(work, delta)
    # Under the lock a table that nothing was done to has the rows that were compared.
    nothing = replaces and delta == Delta(inserted=0, updated=0, deleted=0)
    total = before if nothing else work.total()
    if replaces:
        work.expect(work.sent, total, "rows were sent to replace the table")
    unchanged = work.sent - inserted - updated
    return Changes(
        inserted=inserted, updated=updated, unchanged=unchanged, deleted=deleted, total_after=total
    )


def _delete_gone(work: Statements, delta: Delta) -> int:
    """Delete the rows that are gone, and return how many the table let go."""
    return delta.deleted and work.change(f"DELETE FROM {work.table.sql} AS t USING {GONE}")


def _write_locked(work: Statements, delta: Delta) -> tuple[int, int]:
    """Insert and update where nobody else can write."""
    assignments = ", ".join(f"{column.sql} = d.{column.sql}" for column in work.rest)
    update = f"UPDATE {work.table.sql} AS t SET {assignments} FROM {_PLACE} = 'u'"
    updated = delta.updated and work.change(update)
    inserted = delta.inserted and work.change(f"{work.insert} {DELTA} AS s WHERE osiris_kind = 'i'")
    return inserted, updated


def _write_shared(work: Statements, delta: Delta) -> tuple[int, int]:
    """Insert or update; somebody else may have written some of the rows meanwhile."""
    if not delta.inserted + delta.updated:
        return 0, 0
    inserted = None if delta.updated else _insert_new(work, delta)
    if inserted is not None:
        return inserted, 0
    written = work.change(f"{work.insert} {delta.rows} {on_conflict(work)}")
    inserted = min(delta.inserted, written)
    return inserted, written - inserted


def _insert_new(work: Statements, delta: Delta) -> int | None:
    """Insert rows that were all new when we looked; undone, and None, if one of them is there by now.

    ON CONFLICT, which nobody can come before, makes the same INSERT take half as long again.
    """
    work.cursor.execute("SAVEPOINT osiris_insert")
    try:
        inserted = work.change(f"{work.insert} {delta.rows}")
    except UniqueViolation:
        work.cursor.execute("ROLLBACK TO SAVEPOINT osiris_insert")
        return None
    work.cursor.execute("RELEASE SAVEPOINT osiris_insert")
    return inserted


def on_conflict(work: Statements) -> str:
    """Return what follows an INSERT of rows whose key may be there by now."""
    keys = ", ".join(map(quote_identifier, work.publication.key))
    if not work.rest or work.publication.mode == "append":
        return f"ON CONFLICT ({keys}) DO NOTHING"
    assignments = ", ".join(f"{column.sql} = excluded.{column.sql}" for column in work.rest)
    differs = work.differs("t", "excluded")
    return f"ON CONFLICT ({keys}) DO UPDATE SET {assignments} WHERE {differs}"


def _check_there(work: Statements, delta: Delta) -> None:
    equal = work.same_key("o", "s")
    if work.publication.mode != "append":
        equal += f" AND NOT ({work.differs('o', 's')})"
    arrived = f"EXISTS (SELECT 1 FROM {work.table.sql} AS o WHERE {equal})"
    lost = f"{delta.rows} WHERE NOT {arrived}"
    work.cursor.execute(f"SELECT count(*), min({work.words('s')}) FROM {lost}")
    [(count, first)] = work.cursor.fetchall()
    sent = delta.inserted + delta.updated
    work.expect(sent, sent - count, "rows were sent", f"one lost or changed: {first}")
