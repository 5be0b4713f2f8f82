"""The spool file on its way into the server: COPY, counted; what COPY can't take is refused before."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import check_arrived, refusal
from osiris_sql.targets.supabase.delivery import Delivery
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, StepError
from osiris_sql.types.plan import Publish

CHUNK = 1 << 20


def copy_rows(cursor: Cursor, delivery: Delivery, table: str, columns: Iterable[str]) -> None:
    """Copy the spool file into columns of a table; raises StepError unless the server took every row."""
    load = delivery.load
    with load.path.open("rb") as file:
        reader = _SpoolReader(file.read, delivery)
        statement = rf"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv, NULL '\N')"
        cursor.copy_expert(statement, reader, size=CHUNK)  # type: ignore[arg-type]  # it calls read alone
    check_arrived(delivery.publication, load.rows, cursor.rowcount, what="rows were sent")


class _SpoolReader:
    """Reads the spool file for COPY, says how far it is, and stops when told to."""

    def __init__(self, read: Callable[[int], bytes], delivery: Delivery) -> None:
        self._read, self._delivery = read, delivery
        self._size, self._done = max(delivery.load.path.stat().st_size, 1), 0

    def read(self, size: int = CHUNK) -> bytes:
        """Return the next bytes of the file."""
        if self._delivery.stop.is_set():
            raise CancelledError(Diagnostic(rule="cancelled", message="publishing was interrupted"))
        block = self._read(size)
        self._done += len(block)
        self._delivery.progress(self._delivery.load.rows * self._done // self._size, "sending")
        return block


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
