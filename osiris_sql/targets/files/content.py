"""The new content of a file, computed from the old one and the delivered rows, in a total order."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.targets._modes import refusal
from osiris_sql.targets._rows import names, same_key
from osiris_sql.targets.files.types import Format, stored_type
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier

if TYPE_CHECKING:
    import duckdb

SPOOL = "spool.main.spool"
# What is quoted is text and never NULL, so the empty string and NULL stay apart.
_CSV = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
_CSV += " allow_quoted_nulls = false, parallel = false, max_line_size = 16777216, buffer_size = 33554432"


def text_literal(text: str) -> str:
    """Return text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def file_relation(path: Path, columns: tuple[Column, ...], format_: Format) -> str:
    """Return a file as it stands in FROM, its columns in their stored types."""
    types = {column.name: stored_type(column.type, format_) for column in columns}
    place = text_literal(str(path))
    if format_ == "csv":
        shape = ", ".join(
            f"{text_literal(name)}: {text_literal(str(type_))}" for name, type_ in types.items()
        )
        return f"read_csv({place}, columns = {{{shape}}}, {_CSV})"
    casts = ", ".join(
        f"CAST({quote_identifier(n)} AS {t}) AS {quote_identifier(n)}" for n, t in types.items()
    )
    return f"(SELECT {casts} FROM read_parquet({place}))"


def file_columns(cursor: duckdb.DuckDBPyConnection, path: Path, format_: Format) -> tuple[Column, ...]:
    """Return the columns that a file has; those of CSV have no type, so all are VARCHAR."""
    if format_ == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(Column(name=name, type="VARCHAR") for name in next(csv.reader(file), []))
    rows = cursor.execute(f"DESCRIBE SELECT * FROM read_parquet({text_literal(str(path))})").fetchall()
    return tuple(Column(name=row[0], type=row[1]) for row in rows)


def file_mistakes(publication: Publish, there: tuple[Column, ...], format_: Format) -> list[Diagnostic]:
    """Return why rows can't be added to a file of these columns; replace and sync write a new one."""
    if publication.mode in ("replace", "sync") or not there:
        return []
    delivered, found = [column.name for column in publication.columns], [column.name for column in there]
    fits = delivered == found if format_ == "csv" else set(delivered) == set(found)
    if fits:
        return []
    return [
        refusal(
            publication,
            "other-columns",
            f"the file has other columns than the model, so mode {publication.mode} can't add rows to it",
            why=f"file: {', '.join(found)}; model: {', '.join(delivered)}",
            fix="publish once with mode replace",
        )
    ]


def new_content(publication: Publish, old: str | None) -> str:
    """Return the SELECT of the new file's rows in their order; `old` is a relation, None if there is none."""
    columns = names([column.name for column in publication.columns])
    order = names(publication.key) if publication.key else "ALL"
    if old is None or publication.mode in ("replace", "sync"):
        return f"SELECT {columns} FROM {SPOOL} ORDER BY {order}"
    rows = f"SELECT {columns} FROM {SPOOL}"
    kept = f"SELECT {columns} FROM {old}"
    if publication.key and publication.mode == "append":
        known = same_key(publication.key, "o", "s")
        rows = f"SELECT {columns} FROM {SPOOL} AS s WHERE NOT EXISTS (SELECT 1 FROM {old} AS o WHERE {known})"
    elif publication.key:
        known = same_key(publication.key, "s", "o")
        kept = f"{kept} AS o WHERE NOT EXISTS (SELECT 1 FROM {SPOOL} AS s WHERE {known})"
    return f"SELECT {columns} FROM ({kept} UNION ALL {rows}) ORDER BY {order}"


def copy_options(format_: Format) -> str:
    """Return the options of COPY ... TO: nothing in them depends on the machine."""
    return "FORMAT csv, HEADER true" if format_ == "csv" else "FORMAT parquet, COMPRESSION zstd"


def unreadable(publication: Publish, path: Path, text: str) -> StepError:
    """Return the error of an old file that can't be read as what it should be."""
    fix = "publish once with mode replace, or remove the file"
    message = f"the file {path.name} can't be read; it was not changed"
    return StepError(refusal(publication, "unreadable-file", message, why=text, fix=fix))
