"""The spool file of the REST channel: the rows as they travel, one after the other; cut into bodies."""

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

ROW_END = "\x81\n"  # no row holds it: fields escape U+0081, JSON the line feed
_NATIVE = {"boolean", "smallint", "integer", "bigint"}
MAX_BYTES = 1 << 20
_END = ROW_END.encode()
# One column, written as it is: nothing is quoted, so nothing is escaped. No table keeps the order of its
# rows, and without it DuckDB writes twice as fast and holds less.
_RAW = "HEADER false, QUOTE '', ESCAPE '', PRESERVE_ORDER false"


def field_rows(publication: Publish) -> SpoolSpec:
    """Return how rows are written for the functions: fields as exact text, each after a U+007F.

    PostgreSQL splits such rows several times faster than it reads JSON. Hardly any text holds these signs.
    """
    fields = ", ".join(f"coalesce({_field(column)}, chr(128))" for column in publication.columns)
    return _spool(f"concat_ws(chr(127), '.', {fields})")


def _field(column: Column) -> str:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    value = f"({made.projection.replace('{c}', quote_identifier(column.name))})::VARCHAR"
    return _escaped(value) if made.name in ("text", "jsonb") else value  # nothing else can hold the signs


def _escaped(value: str) -> str:
    escaped = value
    for code, letter in ((130, "e"), (129, "r"), (128, "n"), (127, "f")):
        escaped = f"replace({escaped}, chr({code}), chr(130) || '{letter}')"
    # Looking is much cheaper than replacing, and hardly any text holds a sign.
    held = " OR ".join(f"contains({value}, chr({code}))" for code in range(127, 131))
    return f"CASE WHEN {held} THEN {escaped} ELSE {value} END"


def json_rows(publication: Publish) -> SpoolSpec:
    """Return how rows are written for plain tables: numbers and all else as exact text, nested as JSON."""
    members = (
        f"'{column.name.replace(chr(39), chr(39) * 2)}': {_value(column)}" for column in publication.columns
    )
    return _spool(f"to_json({{{', '.join(members)}}})::VARCHAR")


def _spool(row: str) -> SpoolSpec:
    return SpoolSpec(kind="csv", projection=(f"{row} || chr(129) AS row",), options=_RAW)


def _value(column: Column) -> str:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    value = made.projection.replace("{c}", quote_identifier(column.name))
    if made.nested:
        return f"({value})::JSON"
    return value if made.name in _NATIVE else f"({value})::VARCHAR"


def read_chunks(path: Path, size: int = MAX_BYTES) -> Iterator[bytes]:
    """Yield the rows as they were written, each with its end, in pieces of about `size` bytes."""
    held = b""
    with path.open("rb") as file:
        while block := file.read(size):
            held += block
            cut = held.rfind(_END) + len(_END)
            if cut >= len(_END):
                yield held[:cut]
                held = held[cut:]


def read_rows(path: Path) -> Iterator[str]:
    """Yield the rows one by one."""
    for chunk in read_chunks(path):
        yield from rows_of(chunk)


def rows_of(chunk: bytes) -> list[str]:
    """Return the rows of a piece of the file, without their ends."""
    return chunk.decode().split(ROW_END)[:-1]


def read_groups(path: Path, rows: int, size: int = MAX_BYTES) -> Iterator[list[str]]:
    """Yield the rows in groups of at most `rows` rows and about `size` characters."""
    group: list[str] = []
    length = 0
    for text in read_rows(path):
        if group and (len(group) == rows or length + len(text) > size):
            yield group
            group, length = [], 0
        group.append(text)
        length += len(text)
    if group:
        yield group


def refuse_nul_rows(publication: Publish, path: Path) -> None:
    """Raise StepError that counts the NUL characters of each column, which PostgreSQL can't store."""
    counts: Counter[str] = Counter()
    for chunk in read_chunks(path):
        if b"\0" in chunk or b"\\u0000" in chunk:
            for text in rows_of(chunk):
                counts.update(_with_nul(publication, text))
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


def _with_nul(publication: Publish, text: str) -> Iterator[str]:
    if "\0" in text:
        fields = zip(publication.columns, text.split("\x7f")[1:], strict=True)
        yield from (column.name for column, value in fields if "\0" in value)
    elif text.startswith("{") and "\\u0000" in text:
        values = json.loads(text).items()
        yield from (name for name, value in values if isinstance(value, str) and "\0" in value)
