"""What the server writes of a row in COPY's text format, and how DuckDB reads it back exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from osiris_sql.sources._exact import INTEGERS as DUCKDB_INTEGERS
from osiris_sql.sources._exact import from_sound_text, from_text, text_literal
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.relation import Column, quote_identifier

PLAIN = {"int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "oid": "UINTEGER", "bool": "BOOLEAN"} | {
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "uuid": "UUID",
    "bit": "BIT",
}
"""Types of which DuckDB holds every value."""

NEARLY = {"date": "DATE", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMP WITH TIME ZONE"} | {
    "time": "TIME",
    "timetz": "TIME WITH TIME ZONE",
    "interval": "INTERVAL",
    "json": "JSON",
    "jsonb": "JSON",
}
"""Types of which DuckDB holds all values but some that nobody has; those are an error."""

NUMBERS = frozenset({"int2", "int4", "int8", "oid", "numeric", "float4", "float8"})
INSTANTS = frozenset({"date", "timestamp", "timestamptz"})
TEXTS = frozenset({"text", "varchar", "bpchar", "name"})
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
INSTANT = re.compile(r"\d{4,6}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{1,6})?([+-]\d{2}(:\d{2})?)?)?")
ESCAPES = {"b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
WIDEST = 38


@dataclass(frozen=True, kw_only=True)
class ServerColumn:
    """A column as the server describes it; `kind` is its type's name, that below a domain."""

    name: str
    kind: str
    modifier: int = -1
    nullable: bool = True
    comment: str = ""


def duckdb_type(column: ServerColumn) -> str:
    """Return the DuckDB type of the column; VARCHAR, as the server writes it, where DuckDB has none.

    So are numeric without or beyond 38 digits, arrays, enums, ranges, money and composite types.
    """
    if column.kind == "bytea":
        return "BLOB"
    if column.kind == "numeric" and column.modifier >= 4:
        digits, scale = (column.modifier - 4) >> 16, (column.modifier - 4) & 0x7FF
        return f"DECIMAL({digits},{scale})" if scale <= digits <= WIDEST else "VARCHAR"
    return PLAIN.get(column.kind) or NEARLY.get(column.kind, "VARCHAR")


def decode_select(columns: Sequence[ServerColumn], wanted: Sequence[Column]) -> str:
    """Return the DuckDB SELECT over `{rows}` that yields `wanted`, in order, in their exact types."""
    pairs = list(enumerate(zip(columns, wanted, strict=True), start=1))
    texts = [f"{_text(f'p[{place}]', server, column)} AS t{place}" for place, (server, column) in pairs]
    values = [f"{_value(f't{place}', server, column)} AS c{place}" for place, (server, column) in pairs]
    whole = f"CASE WHEN len(p) = {len(columns)} THEN true ELSE error('a line of the source is broken') END"
    split = "SELECT string_split(line, chr(9)) AS p FROM {rows}"
    return f"SELECT {', '.join(values)} FROM (SELECT {', '.join(texts)} FROM ({split}) WHERE {whole})"


def since_condition(column: ServerColumn, since: str) -> str:
    """Return `column >= since` in the server's SQL, for `since` as DuckDB prints it.

    Raises StepError where the server would order values in another way than DuckDB does.
    """
    name = quote_identifier(column.name)
    if column.kind in NUMBERS and NUMBER.fullmatch(since):
        return f"{name} >= {since}"
    if column.kind in INSTANTS and INSTANT.fullmatch(since):
        return f"{name} >= {text_literal(since)}::{column.kind}"
    if column.kind in TEXTS:
        return f'{name}::text COLLATE "C" >= {text_literal(since)}'
    raise StepError(
        Diagnostic(
            rule="unsupported-watermark",
            message=f'column {column.name} ({column.kind}) can\'t be compared with the watermark "{since}"',
            fix="choose a column of whole numbers, date, timestamp or timestamptz as the watermark",
        )
    )


def _text(part: str, server: ServerColumn, column: Column) -> str:
    """The server's own text of a value, or NULL."""
    raw = rf"nullif({part}, '\N')"
    if server.kind == "bytea":
        return rf"substr({raw}, 4)"  # after \\x
    if server.kind in INSTANTS:
        # 0044-03-15 12:00:00 BC is 0044-03-15 (BC) 12:00:00 to DuckDB
        early = f"{raw}[:10] || ' (BC)' || {raw}[11:-4]"
        if server.kind == "timestamptz" and "ZONE" not in column.type and column.type != "VARCHAR":
            early, raw = f"replace({early}, '+00', '')", f"replace({raw}, '+00', '')"  # it is in UTC
        return f"CASE WHEN suffix({raw}, ' BC') THEN {early} ELSE {raw} END"
    if server.kind == "interval":
        return f"replace({raw}, '+', '')"
    if server.kind == "bool" and column.type != "BOOLEAN":
        return f"CASE {raw} WHEN 't' THEN 'true' WHEN 'f' THEN 'false' END"
    if server.kind in PLAIN or server.kind in NUMBERS:
        return raw
    return _unescaped(raw)


def _unescaped(raw: str) -> str:
    # PostgreSQL's text holds no NUL, so one can stand for the backslash meanwhile.
    plain = rf"replace({raw}, '\\', chr(0))"
    for letter, code in ESCAPES.items():
        plain = rf"replace({plain}, '\{letter}', chr({code}))"
    return rf"CASE WHEN contains({raw}, '\') THEN replace({plain}, chr(0), '\') ELSE {raw} END"


def _value(text: str, server: ServerColumn, column: Column) -> str:
    natural, what = duckdb_type(server), f"column {column.name}"
    if natural == "BLOB":
        return _bytes_value(text, column)
    if column.type == natural and server.kind in PLAIN:
        return f"CAST({text} AS {natural})"
    if column.type == natural or (natural in DUCKDB_INTEGERS and column.type in DUCKDB_INTEGERS):
        return text if natural == "VARCHAR" else from_sound_text(text, column.type, what)
    return from_text(text, column.type, what)


def _bytes_value(text: str, column: Column) -> str:
    if column.type == "BLOB":
        return f"unhex({text})"
    if column.type == "VARCHAR":
        return f"decode(unhex({text}))"
    raise StepError(
        Diagnostic(
            rule="unsupported-type",
            message=f"column {column.name} holds bytes, which can't be read as {column.type}",
            fix="declare it as BLOB or VARCHAR and convert it in a model",
        )
    )
