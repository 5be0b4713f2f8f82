"""The rows of a delivery in a temporary table, exactly as the spool file has them."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.protocols import Load
from osiris_sql.targets._modes import check_arrived, refusal
from osiris_sql.targets.supabase.catalog import Table, TableColumn
from osiris_sql.targets.supabase.types import may_round, postgres_type
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier

STAGE = "pg_temp.osiris_spool"
CHUNK = 1 << 20


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


def stage(
    cursor: Cursor,
    publication: Publish,
    columns: tuple[StagedColumn, ...],
    load: Load,
    progress: Callable[[int, str], None],
    stop: Event,
) -> None:
    """Copy the spool file into the staging table; raises StepError unless every row arrived unchanged."""
    lines = ", ".join(f"{column.sql} {column.type}" for column in columns)
    cursor.execute(f"CREATE TEMP TABLE osiris_spool ({lines}) ON COMMIT DROP")
    names = ", ".join(column.sql for column in columns)
    with load.path.open("rb") as file:
        reader = _SpoolReader(file.read, load, progress, stop)
        statement = rf"COPY {STAGE} ({names}) FROM STDIN (FORMAT csv, NULL '\N')"
        cursor.copy_expert(statement, reader, size=CHUNK)  # type: ignore[arg-type]  # it calls read alone
    check_arrived(publication, load.rows, cursor.rowcount, what="rows were sent to the staging table")
    cursor.execute(f"ANALYZE {STAGE}")
    _check_exact(cursor, publication, columns)


class _SpoolReader:
    """Reads the spool file for COPY, says how far it is, and stops when told to."""

    def __init__(
        self,
        read: Callable[[int], bytes],
        load: Load,
        progress: Callable[[int, str], None],
        stop: Event,
    ) -> None:
        self._read, self._load, self._progress, self._stop = read, load, progress, stop
        self._size, self._done = max(load.path.stat().st_size, 1), 0

    def read(self, size: int = CHUNK) -> bytes:
        """Return the next bytes of the file."""
        if self._stop.is_set():
            raise CancelledError(Diagnostic(rule="cancelled", message="publishing was interrupted"))
        block = self._read(size)
        self._done += len(block)
        self._progress(self._load.rows * self._done // self._size, "sending")
        return block


def _check_exact(cursor: Cursor, publication: Publish, columns: tuple[StagedColumn, ...]) -> None:
    found = []
    for column in columns:
        if not column.rounds_to:
            continue
        name, back = column.sql, f"{column.sql}::{column.rounds_to}::{column.type}"
        cursor.execute(
            f"SELECT count(*), min({name}::text) FROM {STAGE} WHERE {back} IS DISTINCT FROM {name}"
        )
        row = cursor.fetchone()
        if row and row[0]:
            found.append(_rounded(publication, column, *row))
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


def refuse_nul(publication: Publish, path: Path) -> None:
    """Raise StepError that counts the NUL characters of each column, which PostgreSQL can't store."""
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            if b"\0" in block:
                raise StepError(*_count_nul(publication, path))


def _count_nul(publication: Publish, path: Path) -> list[Diagnostic]:
    counts: Counter[int] = Counter()
    csv.field_size_limit(2**31 - 1)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            counts.update(at for at, value in enumerate(row) if "\0" in value)
    return [
        refusal(
            publication,
            "nul-character",
            f"{count} values of {publication.columns[at].name} hold a NUL character; nothing was sent",
            why="PostgreSQL's text can't store it",
            fix=f"replace({publication.columns[at].name}, chr(0), '') in the model",
        )
        for at, count in sorted(counts.items())
    ]
