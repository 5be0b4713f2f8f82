"""The target: files that are replaced whole, atomically, with the same bytes for the same rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec
from osiris_sql.support.one_line import one_line
from osiris_sql.targets._connections import OpenConnections
from osiris_sql.targets._difference import find_difference
from osiris_sql.targets._modes import check_arrived, mode_mistakes, raise_all, refusal
from osiris_sql.targets._rows import Changes, foresee, number
from osiris_sql.targets.files import content, ledger
from osiris_sql.targets.files.types import stored_type, stored_value
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.difference import Difference
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import TableSchema, quote_identifier

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class FilesOptions:
    """Options of a files target: `path` of the folder, relative to the project; made if missing."""

    path: str
    format: Literal["csv", "parquet"] = "csv"
    memory_limit: str = "256MB"


class Files:
    """Delivers a table as `<path>/<table>.<format>`."""

    Options: ClassVar[type] = FilesOptions

    def __init__(self, options: FilesOptions, root: Path) -> None:
        self._options, self._folder = options, root / options.path
        self._connections = OpenConnections(options.memory_limit)

    def endpoint(self) -> str:
        """Return the folder as the project says it."""
        return f"files:{self._options.path}"

    def probe(self) -> ProbeResult:
        """Say whether the folder is there and can be written."""
        there = self._folder if self._folder.exists() else self._folder.parent
        writable = "yes" if os.access(there, os.W_OK) else "no"
        facts = {"path": self._options.path, "format": self._options.format, "writable": writable}
        return ProbeResult(server="files", facts=facts)

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the file as it is now, with everything that keeps the publication from arriving."""
        path, mistakes = self._path(publication), self._mistakes(publication)
        if not path.exists():
            return ObservedTarget(
                node=publication.node, schema=None, kind="absent", diagnostics=tuple(mistakes)
            )
        with self._explained(publication), self._connected(None) as cursor:
            columns = content.file_columns(cursor, path, self._options.format)
        entries = ledger.read_entries(path, ledger.hash_file(path))
        return ObservedTarget(
            node=publication.node,
            schema=TableSchema(columns=columns),
            kind="file",
            latest_load=ledger.latest_load(entries, publication.series),
            diagnostics=(*mistakes, *content.file_mistakes(publication, columns, self._options.format)),
        )

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the file's last load is that one: observing has hashed it."""
        return self.observe(publication).latest_load == load_id

    def compare(self, publication: Publish, load: Load, samples: int) -> Difference:
        """Return what the new file would have that the old one has not."""
        raise_all(self._mistakes(publication))
        path = self._path(publication)
        with self._explained(publication), self._connected(load.path) as cursor:
            old = self._old_rows(cursor, publication, path) if path.exists() else None
            none = f"(SELECT * FROM {content.SPOOL} LIMIT 0)"
            return find_difference(cursor, publication, old or none, content.SPOOL, samples)

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return a DuckDB file whose columns have the types that the target's file stores."""
        raise_all(self._mistakes(publication))
        projection = []
        for column in publication.columns:
            stored, name = stored_type(column.type, self._options.format), quote_identifier(column.name)
            assert stored is not None
            projection.append(f"{stored_value(name, column.type, stored)} AS {name}")
        return SpoolSpec(kind="duckdb", projection=tuple(projection))

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Write the new file beside the old one and put it in its place; the counts are read from it."""
        raise_all(self._mistakes(publication))
        path = self._path(publication)
        with self._explained(publication):
            path.parent.mkdir(parents=True, exist_ok=True)
            with ledger.hold_folder(path.parent):
                current = ledger.hash_file(path)
                entries = ledger.read_entries(path, current)
                if self._is_delivered(publication, load, entries):
                    total = self._count(publication, path)
                    return Published(sent=0, total_after=total, already_published=True)
                progress(0, f"writing {path.name}")
                changes = self._write(publication, load, path, current, entries)
            progress(load.rows, "reading back")
            total = self._count(publication, path)
        return Published(
            sent=load.rows,
            inserted=changes.inserted,
            updated=changes.updated,
            deleted=changes.deleted,
            unchanged=changes.unchanged,
            total_after=total,
        )

    def interrupt(self) -> None:
        """Stop writing; the old file stays."""
        self._connections.interrupt()

    def _path(self, publication: Publish) -> Path:
        return self._folder / (publication.schema or "") / f"{publication.table}.{self._options.format}"

    def _mistakes(self, publication: Publish) -> list[Diagnostic]:
        form, found = self._options.format, mode_mistakes(publication)
        if {"/", "\\", "\0"} & set(publication.table) or publication.table.startswith("."):
            found.append(refusal(publication, "bad-file-name", "the table's name is no file name"))
        return found + [
            refusal(
                publication,
                "unsupported-type",
                f'the column "{column.name}" is {column.type}, which a {form} file can\'t hold exactly',
                fix="cast it in the model, for example to VARCHAR or JSON",
            )
            for column in publication.columns
            if not stored_type(column.type, form)
        ]

    def _is_delivered(self, publication: Publish, load: Load, entries: list[ledger.Entry]) -> bool:
        loads = [entry.load_id for entry in entries]
        return load.load_id in (loads if publication.mode == "append" else loads[:1])

    def _write(
        self, publication: Publish, load: Load, path: Path, current: str, entries: list[ledger.Entry]
    ) -> Changes:
        new = path.with_name(f".{path.name}.osiris-new")  # what a killed run left there is written over
        try:
            with self._connected(load.path) as cursor:
                changes = self._fill(cursor, publication, load, path if current else None, new)
            with new.open("rb") as file:
                os.fsync(file.fileno())
            entry = ledger.make_entry(load, publication.mode, changes, ledger.hash_file(new), current)
            kept = [] if publication.mode in ("replace", "sync") else entries
            # The entries of the old file stay until the new one is in place: a kill in between loses nothing.
            ledger.write_entries(path, [entry, *entries])
            new.replace(path)
            if kept is not entries:
                ledger.write_entries(path, [entry, *kept])
        finally:
            new.unlink(missing_ok=True)
        return changes

    def _fill(
        self,
        cursor: duckdb.DuckDBPyConnection,
        publication: Publish,
        load: Load,
        path: Path | None,
        new: Path,
    ) -> Changes:
        form, spool = self._options.format, content.SPOOL
        spooled = number(cursor, f"SELECT count(*) FROM {spool}")
        check_arrived(publication, load.rows, spooled, what="rows were spooled")
        old = self._old_rows(cursor, publication, path) if path else None
        changes = foresee(cursor, publication, old or f"(SELECT * FROM {spool} LIMIT 0)", spool)
        select, place = content.new_content(publication, old), content.text_literal(str(new))
        cursor.execute(f"COPY ({select}) TO {place} ({content.copy_options(form)})").fetchall()
        written = number(
            cursor, f"SELECT count(*) FROM {content.file_relation(new, publication.columns, form)}"
        )
        check_arrived(publication, changes.total_after, written, what="rows should be in the file")
        return changes

    def _old_rows(self, cursor: duckdb.DuckDBPyConnection, publication: Publish, path: Path) -> str | None:
        import duckdb

        there = content.file_columns(cursor, path, self._options.format)
        raise_all(content.file_mistakes(publication, there, self._options.format))
        if [c.name for c in there] != [c.name for c in publication.columns]:
            return None  # replaced by a file of another shape: its rows can't be compared
        relation = content.file_relation(path, publication.columns, self._options.format)
        try:
            number(cursor, f"SELECT count(COLUMNS(*)) FROM {relation}")
        except duckdb.Error as error:
            if publication.mode in ("replace", "sync"):
                return None
            raise content.unreadable(publication, path, one_line(error)) from None
        return relation

    def _count(self, publication: Publish, path: Path) -> int:
        with self._connected(None) as cursor:
            relation = content.file_relation(path, publication.columns, self._options.format)
            return number(cursor, f"SELECT count(*) FROM {relation}")

    @contextmanager
    def _connected(self, spool: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
        with (
            tempfile.TemporaryDirectory(prefix="osiris-spill-", ignore_cleanup_errors=True) as spill,
            self._connections.connected(":memory:", {}, temp_directory=spill) as connection,
        ):
            if spool:
                connection.execute(f"ATTACH {content.text_literal(str(spool))} AS spool (READ_ONLY)")
            yield connection

    def _explained(self, publication: Publish) -> AbstractContextManager[None]:
        return self._connections.explained(publication, self._path(publication).name)
