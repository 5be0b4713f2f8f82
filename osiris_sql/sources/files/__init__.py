"""Source type `files`: CSV, Parquet and JSON lines in a folder, plain or gzipped, alone or by glob."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from osiris_sql.protocols import DiscoveredTable, ProbeResult, Snapshot
from osiris_sql.sources.files import options as files_options
from osiris_sql.sources.files.locate import ABSENT, TableFiles, cancelled, find_files, place_of, table_names
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, StepError
from osiris_sql.types.observed import ObservedSource

if TYPE_CHECKING:
    import duckdb


class FilesSource:
    """Reads files with a DuckDB of its own, in memory; the folder is `path` under the project's root."""

    Options: ClassVar[type] = files_options.Options

    def __init__(self, options: files_options.Options, root: Path) -> None:
        self.options = _checked(options)
        self.root = root.resolve()
        self.folder = (self.root / options.path).resolve()
        self.interrupted = False
        self._cursor: duckdb.DuckDBPyConnection | None = None

    def endpoint(self) -> str:
        """Return the folder as the project names it, so that it is the same on every machine."""
        return f"files:{Path(self.options.path).as_posix()}"

    def probe(self) -> ProbeResult:
        """Say how many tables the folder holds."""
        tables = table_names(self.folder)
        return ProbeResult(server=f"files in {self.options.path}", facts={"tables": str(len(tables))})

    def discover(self, identifiers: Sequence[str] | None) -> list[DiscoveredTable]:
        """Return the named tables, or all; every row is read, so that every row fits the types found."""
        from osiris_sql.sources.files.discovery import discover_tables

        names = table_names(self.folder) if identifiers is None else identifiers
        found = [files for name in names if (files := self._find(name))]
        return discover_tables(found, self.root, self.options)

    def describe(self, identifiers: Sequence[str]) -> list[DiscoveredTable]:
        """Return what the head of each table's first file says: names, and the types that Parquet has.

        A type that only the rows would tell is "". Of JSON lines the first ones are looked at.
        """
        from osiris_sql.sources.files.discovery import describe_heads

        found = [files for name in identifiers if (files := self._find(name))]
        return describe_heads(found, self.root, self.options)

    def probe_change(self, tables: Mapping[str, str]) -> list[ObservedSource]:
        """Return for each table a token that is equal only if names, sizes and bytes of its files are,
        and how its CSV is read; None where there are no files."""
        return [self._observe(node, identifier) for node, identifier in tables.items()]

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open the folder for reading; a file that changes while it is read is an error."""
        from osiris_sql.sources.files.reading import FilesSnapshot, connect

        with connect() as con:
            yield FilesSnapshot(self, con)

    def interrupt(self) -> None:
        """Stop the file that is being read, and begin no other."""
        self.interrupted = True
        if (cursor := self._cursor) is not None:
            cursor.interrupt()

    @contextmanager
    def reading(self, con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
        """Return a cursor of its own for one file, which `interrupt` can stop."""
        with con.cursor() as cursor:
            self._cursor = cursor
            try:
                if self.interrupted:
                    raise cancelled()
                yield cursor
            finally:
                self._cursor = None

    def _find(self, identifier: str) -> TableFiles | None:
        try:
            return find_files(self.folder, identifier)
        except StepError as error:
            if error.diagnostics[0].rule == ABSENT:
                return None
            raise

    def _observe(self, node: str, identifier: str) -> ObservedSource:
        files = self._find(identifier)
        if files is None:
            return ObservedSource(node=node)
        token = hashlib.sha256(repr((self.options.delimiter, self.options.quote, self.options.null)).encode())
        hashes: dict[str, str] = {}
        for path in files.paths:
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
                size = content.tell()
            hashes[place_of(path, self.root)] = digest
            token.update(repr((path.relative_to(self.folder).as_posix(), size, digest)).encode())
        return ObservedSource(node=node, change=token.hexdigest(), files=hashes)


def _checked(options: files_options.Options) -> files_options.Options:
    wrong = [name for name in ("delimiter", "quote") if len(getattr(options, name)) != 1]
    if wrong:
        raise ProjectError(
            *(
                Diagnostic(rule="bad-option", message=f"`{name}` of a files connection is one character")
                for name in wrong
            )
        )
    return options


PLUGIN = FilesSource
