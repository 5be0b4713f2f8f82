"""The rows of a delivery in a temporary table, exactly as the spool file has them."""

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.catalog import Table, TableColumn
from osiris_sql.targets.supabase.copying import copy_rows
from osiris_sql.targets.supabase.delivery import Delivery
from osiris_sql.targets.supabase.types import may_round, postgres_type
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier

STAGE = "pg_temp.osiris_spool"


@dataclass(frozen=True, kw_only=True)
class StagedColumn:
    """A delivered column: its type in the staging table, and its value `{c}` there as the table wants it.

    `rounds_to` is the table's type where the cast could change a value, "" where it can't.
    """

    target: TableColumn
    type: str
    value: str
    rounds_to: str = ""

    @property
    def sql(self) -> str:
        """The quoted name."""
        return quote_identifier(self.target.name)

    @property
    def is_plain(self) -> bool:
        """Whether COPY can write the value into the table as it stands in the spool file."""
        return self.value == f"s.{self.sql}" and not self.target.generated


def plan_columns(publication: Publish, table: Table) -> tuple[StagedColumn, ...]:
    """Return how each delivered column is staged, in the order of the spool file."""
    return tuple(_staged(column, table) for column in publication.columns)


def _staged(column: Column, table: Table) -> StagedColumn:
    target, natural = table.column(column.name), postgres_type(column.type)
    assert target is not None  # both checked by the preflight
    assert natural is not None
    name = quote_identifier(column.name)
    if natural.nested and target.is_array:
        literal = "'" + column.name.replace("'", "''") + "'"
        record = f"jsonb_populate_record(NULL::{table.sql}, jsonb_build_object({literal}, s.{name}))"
        return StagedColumn(target=target, type="jsonb", value=f"({record}).{name}")
    if may_round(natural.name, target.type):
        cast = f"s.{name}::{target.type}"
        return StagedColumn(target=target, type=natural.name, value=cast, rounds_to=target.type)
    return StagedColumn(target=target, type=target.type, value=f"s.{name}")


def create_stage(cursor: Cursor, columns: tuple[StagedColumn, ...]) -> None:
    """Make the staging table, empty, for this transaction."""
    lines = ", ".join(f"{column.sql} {column.type}" for column in columns)
    cursor.execute(f"CREATE TEMP TABLE osiris_spool ({lines}) ON COMMIT DROP")


def fill_stage(cursor: Cursor, delivery: Delivery, columns: tuple[StagedColumn, ...]) -> None:
    """Copy the spool file into the staging table; raises StepError unless every row arrived unchanged."""
    publication = delivery.publication
    copy_rows(cursor, delivery, STAGE, (column.sql for column in columns))
    if publication.key:  # else nothing is joined
        cursor.execute(f"ANALYZE {STAGE} ({', '.join(map(quote_identifier, publication.key))})")
    _check_exact(cursor, publication, [column for column in columns if column.rounds_to])


def _check_exact(cursor: Cursor, publication: Publish, columns: list[StagedColumn]) -> None:
    if not columns:
        return
    wanted = []
    for column in columns:
        name, back = column.sql, f"{column.sql}::{column.rounds_to}::{column.type}"
        changed = f"FILTER (WHERE {back} IS DISTINCT FROM {name})"
        wanted.append(f"count(*) {changed}, min({name}::text) {changed}")
    cursor.execute(f"SELECT {', '.join(wanted)} FROM {STAGE}")
    row = cursor.fetchone()
    assert row is not None
    pairs = zip(row[::2], row[1::2], strict=True)
    found = [
        _rounded(publication, c, count, one) for c, (count, one) in zip(columns, pairs, strict=True) if count
    ]
    if found:
        raise StepError(*found)


def _rounded(publication: Publish, column: StagedColumn, count: int, sample: str) -> Diagnostic:
    return refusal(
        publication,
        "value-does-not-fit",
        f"{count} values of {column.target.name} don't fit {column.rounds_to} exactly; nothing was changed",
        why=f"one of them: {sample}",
        fix="round them in the model, or widen the column",
    )
