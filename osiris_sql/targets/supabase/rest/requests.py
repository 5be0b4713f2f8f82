"""The requests that write into a plain table: batches of rows, and deletions by key."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from osiris_sql.protocols import Load
from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.rest.bodies import read_groups
from osiris_sql.targets.supabase.rest.keys import Key, key_of, or_filter, quoted, table_path
from osiris_sql.targets.supabase.rest.plain import not_atomic
from osiris_sql.targets.supabase.rest.proof import provable, refuse_rounded
from osiris_sql.targets.supabase.rest.refused_row import NONE, SINGLE, first_refused
from osiris_sql.targets.supabase.rest.wire import COUNTED, Progress, Reply, Rest, RestError
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.plan import Publish

ONE_REQUEST = 1000
_DELETED = 100


@dataclass(frozen=True)
class PlainTable:
    """Where the requests of one delivery go; `atomic` says that all rows go in one of them, or none."""

    rest: Rest
    publication: Publish
    progress: Progress
    atomic: bool

    def send(self, load: Load, resolution: str, known: Collection[Key] = ()) -> None:
        """Write all rows; those of `known` keys are expected to be left alone."""
        sent = 0
        for group in read_groups(load.path, ONE_REQUEST):
            with _after(sent):
                self._halving(group, resolution, known)
            sent += len(group)
            self.progress(sent, "sending")

    def delete(self, surplus: Sequence[Key]) -> None:
        """Delete the rows of these keys; raises RestError if that is refused."""
        for start in range(0, len(surplus), _DELETED):
            keys = surplus[start : start + _DELETED]
            try:
                self._delete(keys, f"handling=strict,max-affected={len(keys)}")
            except RestError as error:
                error.kept = True  # the rows that stay were written before
                found = first_refused(keys, error, lambda some: self._delete(some, NONE))
                error.row = f"the row to be deleted with {self._words(found)}" if found else ""
                raise

    def _delete(self, keys: Sequence[Key], limit: str) -> Reply:
        path, parameters = table_path(self.publication), {"or": or_filter(self.publication, keys)}
        prefer = f"{COUNTED},{limit}"
        return self.rest.ask("DELETE", path, prefer=prefer, parameters=parameters, progress=self.progress)

    def _halving(self, rows: list[str], resolution: str, known: Collection[Key]) -> None:
        try:
            self._write(rows, resolution)
        except RestError as error:
            if error.status == 413 and self.atomic:
                raise StepError(not_atomic(self.publication, "the rows are too many bytes")) from None
            if self.atomic or not error.too_much or len(rows) == 1:
                error.row = self._refused(rows, error, known)
                raise
            half = len(rows) // 2
            self._halving(rows[:half], resolution, known)
            with _after(half):
                self._halving(rows[half:], resolution, known)

    def _write(self, rows: list[str], resolution: str) -> None:
        proved = provable(self.publication)
        returned = dict.fromkeys([*self.publication.key, *proved]) if proved else ()
        kept = COUNTED.replace("minimal", "representation") if proved else COUNTED
        done = self._post(rows, f"{kept},resolution={resolution}", returned)
        if resolution == "merge-duplicates" and done.count != len(rows):
            message = f"{len(rows)} rows were sent in a batch, but {done.count} were written"
            fix = "look for a trigger or rule on the table that drops rows"
            raise StepError(refusal(self.publication, "rows-not-written", message, fix=fix))
        if proved:
            refuse_rounded(self.publication, proved, rows, done.data)

    def _post(
        self, rows: Sequence[str], prefer: str, returned: Collection[str] = (), accept: str = "*/*"
    ) -> Reply:
        parameters = {
            "columns": ",".join(quoted(c.name) for c in self.publication.columns),
            "on_conflict": ",".join(map(quoted, self.publication.key)),
        }
        if returned:
            parameters["select"] = ",".join(map(quoted, returned))
        return self.rest.ask(
            "POST",
            table_path(self.publication),
            body=f"[{','.join(rows)}]".encode(),
            prefer=prefer,
            accept=accept,
            parameters=parameters,
            progress=self.progress,
        )

    def _refused(self, rows: Sequence[str], error: RestError, known: Collection[Key]) -> str:
        """Return the first row that is refused, in words, or "" if that can't be told."""

        def try_out(some: Sequence[str]) -> None:
            self._post(some, f"{COUNTED},resolution=merge-duplicates", accept=SINGLE)

        new = [row for row in rows if not known or self._key(row) not in known]
        found = first_refused(new, error, try_out) if new else None
        return f"the row with {self._words(self._key(found))}" if found else ""

    def _key(self, row: str) -> Key:
        return key_of(self.publication, json.loads(row))

    def _words(self, key: Key) -> str:
        return ", ".join(f"{name} = {value}" for name, value in zip(self.publication.key, key, strict=True))


@contextmanager
def _after(written: int) -> Iterator[None]:
    """Tell of an error whether rows were written before it."""
    try:
        yield
    except RestError as error:
        error.kept = error.kept or written > 0
        raise
