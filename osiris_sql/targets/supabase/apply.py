"""The four modes: how the staged rows get into the table, and the counts that must hold before commit."""

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import check_arrived, check_deletions
from osiris_sql.targets.supabase.catalog import Table
from osiris_sql.targets.supabase.staging import STAGE, StagedColumn
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What was done to a table, and how many rows it has now."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    total_after: int = 0


@dataclass(frozen=True)
class _Apply:
    """SQL fragments of one delivery: `written` are the columns that the table lets us write."""

    cursor: Cursor
    publication: Publish
    table: Table
    written: tuple[StagedColumn, ...]
    sent: int

    @property
    def columns(self) -> str:
        return ", ".join(column.sql for column in self.written)

    @property
    def source(self) -> str:
        values = ", ".join(f"{column.value} AS {column.sql}" for column in self.written)
        return f"(SELECT {values} FROM {STAGE} AS s) AS s"

    @property
    def insert(self) -> str:
        override = any(c.target.identity == "a" for c in self.written)
        system = " OVERRIDING SYSTEM VALUE" if override else ""
        return f"INSERT INTO {self.table.sql} AS t ({self.columns}){system} SELECT {self.columns} FROM"

    def same_key(self, left: str) -> str:
        keys = map(quote_identifier, self.publication.key)
        return " AND ".join(f"{left}.{key} = s.{key}" for key in keys)

    def differs(self, left: str, right: str) -> str:
        rest = [column for column in self.written if column.target.name not in self.publication.key]
        if not rest:
            return "false"
        sides = (
            ", ".join(f"{side}.{c.sql}{'' if c.target.comparable else '::text'}" for c in rest)
            for side in (left, right)
        )
        return "ROW({}) IS DISTINCT FROM ROW({})".format(*sides)

    def number(self, sql: str) -> int:
        self.cursor.execute(sql)
        row = self.cursor.fetchone()
        assert row is not None
        return int(row[0])

    def change(self, sql: str) -> int:
        self.cursor.execute(sql)
        return self.cursor.rowcount

    def total(self) -> int:
        return self.number(f"SELECT count(*) FROM {self.table.sql}")

    def why(self) -> str:
        names = ", ".join(self.table.triggers)
        return f"row triggers on the table: {names}" if names else "counted before commit"

    def expect(self, found: int, what: str) -> None:
        check_arrived(self.publication, self.sent, found, what=what, why=self.why())


def apply_rows(
    cursor: Cursor, publication: Publish, table: Table, columns: tuple[StagedColumn, ...], sent: int
) -> Changes:
    """Bring the staged rows into the table by the publication's mode; StepError unless counts agree."""
    written = tuple(column for column in columns if not column.target.generated)
    work = _Apply(cursor, publication, table, written, sent)
    if publication.mode in ("replace", "sync"):
        cursor.execute(f"LOCK TABLE {table.sql} IN SHARE ROW EXCLUSIVE MODE")
        return _sync(work) if publication.key else _replace(work)
    if publication.mode == "upsert":
        return _with_total(work, *_upsert(work), 0)
    return _with_total(work, *_append(work), 0)


def _append(work: _Apply) -> tuple[int, int, int]:
    if not work.publication.key:
        inserted = work.change(f"{work.insert} {work.source}")
        work.expect(inserted, "rows were sent to be appended")
        return inserted, 0, 0
    known = f"EXISTS (SELECT 1 FROM {work.table.sql} AS o WHERE {work.same_key('o')})"
    keys = ", ".join(map(quote_identifier, work.publication.key))
    inserted = work.change(f"{work.insert} {work.source} WHERE NOT {known} ON CONFLICT ({keys}) DO NOTHING")
    arrived = work.number(f"SELECT count(*) FROM {work.source} WHERE {known}")
    work.expect(arrived, "keys were sent")
    return inserted, 0, work.sent - inserted


def _upsert(work: _Apply) -> tuple[int, int, int]:
    equal = f"{work.same_key('o')} AND NOT ({work.differs('o', 's')})"
    arrived = f"EXISTS (SELECT 1 FROM {work.table.sql} AS o WHERE {equal})"
    new = _missing_keys(work) if work.table.kind == "p" else None
    # Rows already equal are left out beforehand: ON CONFLICT would lock, that is write, each of them.
    statement = (
        f"WITH w AS ({work.insert} {work.source} WHERE NOT {arrived} {_on_conflict(work)}"
        f" RETURNING {'true' if new is not None else '(xmax = 0)'} AS fresh)"
        " SELECT count(*) FILTER (WHERE fresh), count(*) FROM w"
    )
    work.cursor.execute(statement)
    row = work.cursor.fetchone()
    assert row is not None
    inserted, written = new if new is not None else row[0], row[1]
    work.expect(work.number(f"SELECT count(*) FROM {work.source} WHERE {arrived}"), "rows were sent")
    return inserted, written - inserted, work.sent - written


def _missing_keys(work: _Apply) -> int:
    # xmax can't be read through a partitioned table (0A000).
    known = f"EXISTS (SELECT 1 FROM {work.table.sql} AS o WHERE {work.same_key('o')})"
    return work.number(f"SELECT count(*) FROM {work.source} WHERE NOT {known}")


def _on_conflict(work: _Apply) -> str:
    keys = ", ".join(map(quote_identifier, work.publication.key))
    rest = [column for column in work.written if column.target.name not in work.publication.key]
    if not rest:
        return f"ON CONFLICT ({keys}) DO NOTHING"
    assignments = ", ".join(f"{column.sql} = excluded.{column.sql}" for column in rest)
    differs = work.differs("t", "excluded")
    return f"ON CONFLICT ({keys}) DO UPDATE SET {assignments} WHERE {differs}"


def _sync(work: _Apply) -> Changes:
    gone = f"NOT EXISTS (SELECT 1 FROM {work.source} WHERE {work.same_key('t')})"
    missing = work.number(f"SELECT count(*) FROM {work.table.sql} AS t WHERE {gone}")
    check_deletions(work.publication, missing, work.total(), work.sent)
    deleted = work.change(f"DELETE FROM {work.table.sql} AS t WHERE {gone}") if missing else 0
    made = _with_total(work, *_upsert(work), deleted)
    work.expect(made.total_after, "rows were sent to replace the table")
    return made


def _replace(work: _Apply) -> Changes:
    deleted = work.change(f"DELETE FROM {work.table.sql} WHERE true")
    inserted = work.change(f"{work.insert} {work.source}")
    work.expect(inserted, "rows were sent to replace the table")
    made = _with_total(work, inserted, 0, 0, deleted)
    work.expect(made.total_after, "rows were sent to replace the table")
    return made


def _with_total(work: _Apply, inserted: int, updated: int, unchanged: int, deleted: int) -> Changes:
    total = work.total()
    return Changes(
        inserted=inserted, updated=updated, unchanged=unchanged, deleted=deleted, total_after=total
    )
