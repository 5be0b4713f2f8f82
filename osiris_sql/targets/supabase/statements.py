"""The SQL of one delivery from the staging table into its table, in fragments."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import check_arrived
from osiris_sql.targets.supabase.catalog import Table
from osiris_sql.targets.supabase.staging import STAGE, StagedColumn
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier

_BETWEEN = ", ', ', "
DELTA = "pg_temp.osiris_delta"


@dataclass(frozen=True)
class Statements:
    """A delivery of `sent` staged rows; `written` are the columns that the table lets us write."""

    cursor: Cursor
    publication: Publish
    table: Table
    written: tuple[StagedColumn, ...]
    sent: int

    @property
    def columns(self) -> str:
        """The written columns, quoted."""
        return ", ".join(column.sql for column in self.written)

    @property
    def values(self) -> str:
        """The staged rows as they stand in FROM, each value as the table wants it."""
        values = ", ".join(f"{column.value} AS {column.sql}" for column in self.written)
        return f"(SELECT {values}, true AS osiris_here FROM {STAGE} AS s) AS s"

    def stands(self, table: Table) -> str:
        """Return a table's rows as they stand in FROM, seen as those of this table's shape."""
        values = ", ".join(f"{_seen(column, table)} AS {column.sql}" for column in self.written)
        return f"(SELECT {values}, t.tableoid AS osiris_of, t.ctid AS osiris_at FROM {table.sql} AS t) AS t"

    def joined(self, join: str, table: Table) -> str:
        """Return the staged rows beside a table's, from FROM on."""
        return f"FROM {self.values} {join} JOIN {self.stands(table)} ON {self.same_key('s', 't')}"

    @property
    def insert(self) -> str:
        """INSERT up to the rows."""
        override = any(c.target.identity == "a" for c in self.written)
        system = " OVERRIDING SYSTEM VALUE" if override else ""
        return f"INSERT INTO {self.table.sql} AS t ({self.columns}){system} SELECT {self.columns} FROM"

    @property
    def rest(self) -> tuple[StagedColumn, ...]:
        """The written columns that are not in the key."""
        return tuple(column for column in self.written if column.target.name not in self.publication.key)

    @property
    def may_rewrite(self) -> bool:
        """Whether the table may store other rows than those that are written."""
        return bool(self.table.triggers) or self.table.rules or self.table.kind == "p"

    def same_key(self, left: str, right: str) -> str:
        """Return the condition that two rows have the same key."""
        return " AND ".join(
            f"{left}.{key} = {right}.{key}" for key in map(quote_identifier, self.publication.key)
        )

    def differs(self, left: str, right: str) -> str:
        """Return the condition that two rows of one key differ in another column."""
        if not self.rest:
            return "false"
        sides = (
            ", ".join(f"{side}.{c.sql}{'' if c.target.comparable else '::text'}" for c in self.rest)
            for side in (left, right)
        )
        return "ROW({}) IS DISTINCT FROM ROW({})".format(*sides)

    def kinds(self) -> str:
        """Return what becomes of a pair of rows: `i`nserted, `u`pdated, `d`eleted, or NULL."""
        return (
            "CASE WHEN t.osiris_of IS NULL THEN 'i' WHEN s.osiris_here IS NULL THEN 'd'"
            f" WHEN {self.differs('t', 's')} THEN 'u' END"
        )

    def first(self, side: str, rows: str, limit: int) -> list[tuple[str | None, ...]]:
        """Return the first rows of one side as text, in the order of the key."""
        self.cursor.execute(
            f"SELECT {self._texts(side)} FROM {rows} ORDER BY {self.order(side)} LIMIT {int(limit)}"
        )
        return self.cursor.fetchall()

    def first_changed(self, kind: str, joined: str, limit: int) -> list[tuple[str | None, ...]]:
        """Return the first rows of a kind: the staged values as text, then those of the table."""
        order = self.order("t" if kind == "d" else "s")
        self.cursor.execute(
            f"SELECT {self._texts('s')}, {self._texts('t')} {joined} WHERE {self.kinds()} = '{kind}'"
            f" ORDER BY {order} LIMIT {int(limit)}"
        )
        return self.cursor.fetchall()

    def _texts(self, side: str) -> str:
        return ", ".join(f"{side}.{column.sql}::text" for column in self.written)

    def order(self, side: str) -> str:
        """Return a total order of one side's rows: by the key, where there is one."""
        keys = ", ".join(f"{side}.{key}" for key in map(quote_identifier, self.publication.key))
        return keys or self._texts(side)

    def number(self, sql: str) -> int:
        """Return the one number that a query yields."""
        self.cursor.execute(sql)
        row = self.cursor.fetchone()
        assert row is not None
        return int(row[0])

    def change(self, sql: str) -> int:
        """Run a statement and return how many rows it changed."""
        self.cursor.execute(sql)
        return self.cursor.rowcount

    def total(self) -> int:
        """Return the rows of the table."""
        return self.number(f"SELECT count(*) FROM {self.table.sql}")

    def words(self, side: str) -> str:
        """Return the expression that names a row by its key, or by its first columns: `id = 4`."""
        shown = self.publication.key or tuple(column.target.name for column in self.written[:3])
        pairs = (f"{_literal(f'{name} = ')}, {side}.{quote_identifier(name)}" for name in shown)
        return f"left(concat({_BETWEEN.join(pairs)}), 500)"

    def expect(self, promised: int, found: int, what: str, which: str = "") -> None:
        """Raise StepError unless as many rows were found as were promised; `which` names one that was not."""
        names = ", ".join(self.table.triggers)
        why = f"row triggers on the table: {names}" if names else "counted before commit"
        check_arrived(self.publication, promised, found, what=what, why="; ".join(filter(None, [which, why])))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _seen(column: StagedColumn, table: Table) -> str:
    """The value that a table has in a column, which it may lack yet or have with another type."""
    there = table.column(column.target.name)
    if there is None:
        return f"NULL::{column.target.type}"
    cast = "" if there.type == column.target.type else f"::{column.target.type}"
    return f"t.{column.sql}{cast}"
