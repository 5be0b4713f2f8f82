"""One attempt to deliver: lock, preflight, create, stage, apply, ledger row, all in one transaction."""

from dataclasses import asdict, replace

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.protocols import Published
from osiris_sql.targets._modes import raise_all, refusal
from osiris_sql.targets.supabase import ledger
from osiris_sql.targets.supabase.apply import Changes, apply_rows
from osiris_sql.targets.supabase.catalog import Table, read_table
from osiris_sql.targets.supabase.create import create_table, key_statements
from osiris_sql.targets.supabase.delivery import Delivery
from osiris_sql.targets.supabase.ledger import Receipt
from osiris_sql.targets.supabase.observe import holds_load
from osiris_sql.targets.supabase.preflight import table_mistakes
from osiris_sql.targets.supabase.schema_change import (
    change_mistakes,
    change_table,
    changed_table,
    drop_statement,
)
from osiris_sql.targets.supabase.staging import create_stage, fill_stage, plan_columns
from osiris_sql.targets.supabase.straight import fill_empty, takes_copy
from osiris_sql.types.diagnostic import StepError


def deliver(cursor: Cursor, delivery: Delivery) -> bool:
    """Deliver inside an open transaction; return False if there was nothing to do."""
    ledger.lock(cursor, delivery.target)
    ledger.ensure_ledger(cursor)
    if ledger.find_delivery(cursor, delivery.id):
        return True  # an earlier attempt was committed, its answer was lost
    table, created = ready_table(cursor, delivery)
    if not created and holds_load(cursor, delivery.publication, delivery.schema, delivery.load.load_id):
        return False
    changes = _write(cursor, delivery, table, created=created)
    load = delivery.load
    receipt = Receipt(load_id=load.load_id, rows_in=load.rows, created=created, **asdict(changes))
    ledger.write_delivery(cursor, delivery.publication, delivery.target, delivery.id, load, receipt)
    return True


def _write(cursor: Cursor, delivery: Delivery, table: Table, *, created: bool) -> Changes:
    """Bring the rows in: straight into a table that is new or empty, by way of a staging table else."""
    publication, load = delivery.publication, delivery.load
    columns = plan_columns(publication, table)
    key = key_statements(publication, delivery.schema) if created else []
    if takes_copy(cursor, table, columns, created=created):
        changes = fill_empty(cursor, delivery, table, columns)
        delivery.progress(load.rows, f"applying {publication.mode}")
        _run(cursor, key)
        return changes
    _run(cursor, key)
    create_stage(cursor, columns)
    fill_stage(cursor, delivery, columns)
    delivery.progress(load.rows, f"applying {publication.mode}")
    return apply_rows(cursor, publication, table, columns, load.rows)


def _run(cursor: Cursor, statements: list[str]) -> None:
    for statement in statements:
        cursor.execute(statement)


def ready_table(cursor: Cursor, delivery: Delivery) -> tuple[Table, bool]:
    """Return the table, made or altered as the publication wants it, and whether it is new."""
    table = read_table(cursor, delivery.schema, delivery.publication.table)
    publication = delivery.publication
    if table is None:
        raise_all(table_mistakes(publication, None))
        create_table(cursor, publication, delivery.schema)
    else:
        table = replace(table, made_here=ledger.was_created(cursor, delivery.target))
        wanted = changed_table(publication, table)
        raise_all([*change_mistakes(publication, table), *table_mistakes(publication, wanted)])
        if wanted is None:
            cursor.execute(drop_statement(table))
            create_table(cursor, publication, delivery.schema)
        elif not change_table(cursor, publication, table):
            return table, False
    made = read_table(cursor, delivery.schema, publication.table)
    assert made is not None
    return made, table is None or wanted is None


def read_back(cursor: Cursor, delivery: Delivery, *, delivered: bool) -> Published:
    """Return what a fresh connection finds: the delivery's ledger row and the rows of the table."""
    total = ledger.count_rows(cursor, delivery.target)
    if not delivered:
        return Published(sent=0, total_after=total, channel="postgres", already_published=True)
    receipt = ledger.find_delivery(cursor, delivery.id)
    if not receipt:
        raise StepError(
            refusal(
                delivery.publication,
                "lost-commit",
                "the server confirmed the commit, but a new connection does not find it",
                why="no row of this delivery in osiris.publications",
                fix="check that the dsn leads to the primary, then publish again",
            )
        )
    return Published(
        sent=receipt.rows_in,
        inserted=receipt.inserted,
        updated=receipt.updated,
        deleted=receipt.deleted,
        unchanged=receipt.unchanged,
        total_after=total,
        channel="postgres",
    )
