"""What keyed rows change in a table, found by reading each side once: the counts, and the rows concerned."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.targets.supabase.statements import DELTA, Statements


@dataclass(frozen=True, kw_only=True)
class Delta:
    """Rows to insert, update and delete; `deleted` counts only where rows that are gone matter.

    `rows` are those to insert or update, as they stand in FROM under the name `s`.
    """

    inserted: int
    updated: int
    deleted: int
    rows: str = f"(SELECT * FROM {DELTA} WHERE osiris_kind <> 'd') AS s"


def find_delta(work: Statements) -> Delta:
    """Return the rows that the mode changes, counted; a temporary table holds them, unless all are new.

    A sync reads the whole table, once; the others only look their own keys up.
    """
    join, wanted = "FULL", "iud"
    if work.publication.mode in ("append", "upsert"):
        # The keys alone are a small join; a copy of every row would cost as much as inserting it.
        if not work.number(f"SELECT count(*) {work.joined('', work.table)}"):
            return Delta(inserted=work.sent, updated=0, deleted=0, rows=work.values)
        join, wanted = "LEFT", "iu" if work.publication.mode == "upsert" else "i"
    kinds = ", ".join(f"'{kind}'" for kind in wanted)
    columns = ", ".join(f"s.{column.sql}" for column in work.written)
    work.cursor.execute(
        f"CREATE TEMP TABLE osiris_delta ON COMMIT DROP AS SELECT * FROM (SELECT {columns}, {work.kinds()}"
        f" AS osiris_kind, osiris_of, osiris_at {work.joined(join, work.table)}) AS d"
        f" WHERE osiris_kind IN ({kinds})"
    )
    if work.cursor.rowcount:
        work.cursor.execute(f"ANALYZE {DELTA} (osiris_kind, osiris_at)")
    work.cursor.execute(f"SELECT osiris_kind, count(*) FROM {DELTA} GROUP BY 1")
    counts = dict(work.cursor.fetchall())
    return Delta(inserted=counts.get("i", 0), updated=counts.get("u", 0), deleted=counts.get("d", 0))
