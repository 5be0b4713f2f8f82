"""The spool file of the REST channel: one text a row, in a Parquet file; cut into bodies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from osiris_sql.protocols import SpoolSpec
from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier

ROW_END = "\x81"
_NATIVE = {"boolean", "smallint", "integer", "bigint"}
MAX_ROWS, MAX_BYTES = 5000, 1 << 20


def field_rows(publication: Publish) -> SpoolSpec:
    """Return how rows are written for the functions: fields as exact text, each after a U+007F.

    PostgreSQL splits such rows several times faster than it reads JSON. These signs are those that hardly
    any text holds and that JSON does not escape.
    """
    fields = (f"|| chr(127) || coalesce({_field(column)}, chr(128))" for column in publication.columns)
    return SpoolSpec(kind="parquet", projection=(f"'.' {' '.join(fields)} AS row",))


def _field(column: Column) -> str:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    value = f"({made.projection.replace('{c}', quote_identifier(column.name))})::VARCHAR"
    if made.name in ("text", "jsonb"):  # nothing else can hold the signs that part fields and rows
        for code, letter in ((130, "e"), (129, "r"), (128, "n"), (127, "f")):
            value = f"replace({value}, chr({code}), chr(130) || '{letter}')"
    return value


def json_rows(publication: Publish) -> SpoolSpec:
    """Return how rows are written for plain tables: numbers and all else as exact text, nested as JSON."""
    members = (
        f"'{column.name.replace(chr(39), chr(39) * 2)}': {_value(column)}" for column in publication.columns
    )
    return SpoolSpec(kind="parquet", projection=(f"to_json({{{', '.join(members)}}})::VARCHAR AS row",))


def _value(column: Column) -> str:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    value = made.projection.replace("{c}", quote_identifier(column.name))
    if made.nested:
        return f"({value})::JSON"
    return value if made.name in _NATIVE else f"({value})::VARCHAR"


def read_bodies(path: Path, *, rows: int = MAX_ROWS, size: int = MAX_BYTES) -> Iterator[list[str]]:
    """Yield the rows as they were written, in groups of at most `rows` rows and about `size` bytes."""
    group: list[str] = []
    length = 0
    for text in _read(path):
        if group and (len(group) == rows or length + len(text) > size):
            yield group
            group, length = [], 0
        group.append(text)
        length += len(text)
    if group:
        yield group


def _read(path: Path) -> Iterator[str]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=1000, columns=["row"]):
            yield from batch.column(0).to_pylist()


def refuse_nul_rows(publication: Publish, path: Path) -> None:
    """Raise StepError that counts the NUL characters of each column, which PostgreSQL can't store."""
    counts: Counter[str] = Counter()
    for text in _read(path):
        if "\0" in text:
            fields = zip(publication.columns, text.split("\x7f")[1:], strict=True)
            counts.update(column.name for column, value in fields if "\0" in value)
        elif text.startswith("{") and "\\u0000" in text:
            values = json.loads(text).items()
            counts.update(name for name, value in values if isinstance(value, str) and "\0" in value)
    if counts:
        raise StepError(
            *(
                refusal(
                    publication,
                    "nul-character",
                    f"{count} values of {name} hold a NUL character; nothing was sent",
                    why="PostgreSQL's text can't store it",
                    fix=f"replace({name}, chr(0), '') in the model",
                )
                for name, count in sorted(counts.items())
            )
        )
