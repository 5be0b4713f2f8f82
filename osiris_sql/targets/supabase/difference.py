"""What a delivery would change: the staged rows laid beside the table's in a read-only transaction."""

from collections.abc import Iterator
from dataclasses import replace

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._difference import row_changes
from osiris_sql.targets._modes import deletion_refusals, raise_all
from osiris_sql.targets.supabase import ledger
from osiris_sql.targets.supabase.catalog import Table, TableColumn, read_table
from osiris_sql.targets.supabase.delivery import Delivery
from osiris_sql.targets.supabase.preflight import table_mistakes
from osiris_sql.targets.supabase.schema_change import change_mistakes, changed_table
from osiris_sql.targets.supabase.staging import create_stage, fill_stage, plan_columns
from osiris_sql.targets.supabase.statements import Statements
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.difference import ChangeKind, Difference, RowChange
from osiris_sql.types.plan import Publish

KINDS: dict[str, ChangeKind] = {"i": "insert", "u": "update", "d": "delete"}


def find_difference(cursor: Cursor, delivery: Delivery, samples: int) -> Difference:
    """Return what delivering the spool file would change, inside an open transaction.

    The staging table is made first; from then on the server itself refuses every other write.
    """
    publication, schema, sent = delivery.publication, delivery.schema, delivery.load.rows
    there = _read_table(cursor, publication, schema)
    wanted = changed_table(publication, there) if there else None
    raise_all([*(change_mistakes(publication, there) if there else []), *table_mistakes(publication, wanted)])
    table = wanted or _new_table(publication, schema)
    columns = plan_columns(publication, table)
    create_stage(cursor, columns)
    cursor.execute("SET TRANSACTION READ ONLY")
    fill_stage(cursor, delivery, columns)
    written = tuple(column for column in columns if not column.target.generated)
    work = Statements(cursor, publication, table, written, sent)
    if wanted is None or there is None:
        found = work.first("s", f"{work.values}", samples)
        return Difference(inserted=sent, samples=tuple(_changes(work, "i", found)))
    if not publication.key:
        return _without_key(work, there, samples)
    return _by_key(work, there, samples)


def _read_table(cursor: Cursor, publication: Publish, schema: str) -> Table | None:
    table = read_table(cursor, schema, publication.table)
    return replace(table, made_here=ledger.was_created(cursor, table.sql)) if table else None


def _new_table(publication: Publish, schema: str) -> Table:
    """The table that a delivery would make."""
    made = ((column, postgres_type(column.type)) for column in publication.columns)
    columns = tuple(TableColumn(name=column.name, type=type_.name) for column, type_ in made if type_)
    return Table(schema=schema, name=publication.table, columns=columns)


def _without_key(work: Statements, there: Table, samples: int) -> Difference:
    total = work.total()
    changes = [*_changes(work, "i", work.first("s", work.values, samples))]
    deleted = total if work.publication.mode == "replace" else 0
    if deleted:
        changes += _changes(work, "d", work.first("t", work.stands(there), samples))
    return Difference(inserted=work.sent, deleted=deleted, total_before=total, samples=tuple(changes))


def _by_key(work: Statements, there: Table, samples: int) -> Difference:
    mode = work.publication.mode
    wanted = {"append": "i", "upsert": "iu"}.get(mode, "iud")
    joined = work.joined("FULL" if "d" in wanted else "LEFT", there)
    work.cursor.execute(
        f"SELECT osiris_kind, count(*) FROM (SELECT {work.kinds()} AS osiris_kind {joined}) AS d GROUP BY 1"
    )
    counts = {kind: count for kind, count in work.cursor.fetchall() if kind and kind in wanted}
    inserted, updated, deleted = (counts.get(kind, 0) for kind in "iud")
    changes = [
        change
        for kind in filter(counts.get, "iud")
        for change in _changes(work, kind, work.first_changed(kind, joined, samples))
    ]
    total = work.sent - inserted + deleted if "d" in wanted else work.total()
    return Difference(
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        unchanged=work.sent - inserted - updated,
        total_before=total,
        samples=tuple(changes),
        refusals=tuple(deletion_refusals(work.publication, deleted, total, work.sent)),
    )


def _changes(work: Statements, kind: str, rows: list[tuple[str | None, ...]]) -> Iterator[RowChange]:
    names = [column.target.name for column in work.written]
    return row_changes(KINDS[kind], names, work.publication.key, rows)
