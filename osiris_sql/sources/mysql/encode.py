"""What the server is asked for, so that every value is exact, and how DuckDB makes of it what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osiris_sql.sources._exact import INTEGERS as DUCKDB_INTEGERS
from osiris_sql.sources._exact import from_sound_text, from_text, or_error, typed_fits
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.relation import Column

INSTANT = "TIMESTAMP WITH TIME ZONE"
INTEGERS = {"tinyint": "TINYINT", "smallint": "SMALLINT", "mediumint": "INTEGER", "int": "INTEGER"} | {
    "integer": "INTEGER",
    "bigint": "BIGINT",
}
OTHERS = {
    "float": "FLOAT",
    "double": "DOUBLE",
    "bit": "UBIGINT",
    "year": "SMALLINT",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "timestamp": INSTANT,
    "time": "INTERVAL",
    "uuid": "UUID",
}
BYTES = frozenset(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"])
SHAPES = frozenset({"geometry", "point", "linestring", "polygon", "geometrycollection", "geomcollection"}) | {
    "multipoint",
    "multilinestring",
    "multipolygon",
}
DATES = {
    "date": ("DATE", "TIMESTAMP"),
    "datetime": ("TIMESTAMP", "DATE", INSTANT),
    "timestamp": ("TIMESTAMP", "DATE", INSTANT),
}
"""In which types dates and times arrive; first the one that each is compared with."""
SENT_AS_NUMBERS = frozenset({*INTEGERS, "float", "double", "bit", "year", *DATES, "time"})
"""What the server sends as it keeps it, and not as text."""


@dataclass(frozen=True, kw_only=True)
class ServerColumn:
    """A column as the server describes it; `kind` is its DATA_TYPE in lower case."""

    name: str
    kind: str
    unsigned: bool = False
    precision: int | None = None
    scale: int | None = None
    charset: str | None = None
    nullable: bool = True
    comment: str = ""


def duckdb_type(column: ServerColumn) -> str:
    """Return the DuckDB type that holds every value of the column; text where DuckDB has none.

    DECIMAL beyond 38 digits, JSON, ENUM, SET and unknown types are VARCHAR; GEOMETRY is BLOB, as stored:
    four bytes of SRID, the least significant first, then WKB.
    """
    if column.kind in INTEGERS:
        return ("U" if column.unsigned else "") + INTEGERS[column.kind]
    if column.kind == "decimal":
        fits = column.precision is not None and column.precision <= 38
        return f"DECIMAL({column.precision},{column.scale})" if fits else "VARCHAR"
    if column.kind in BYTES | SHAPES:
        return "BLOB"
    return OTHERS.get(column.kind, "VARCHAR")


def quote_name(name: str) -> str:
    """Return a name quoted for MySQL, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def select_list(columns: list[ServerColumn], wanted: Sequence[Column]) -> str:
    """Return what is asked of the server, so that each value is exact."""
    return ", ".join(_asked(*pair) for pair in zip(columns, wanted, strict=True))


def is_binary(column: ServerColumn) -> bool:
    """Say whether the column's values are bytes and not text."""
    return column.kind in BYTES | SHAPES


def decode_select(columns: list[ServerColumn], wanted: Sequence[Column]) -> str:
    """Return the DuckDB SELECT over `{rows}` (columns t1, t2, …) that yields `wanted`, in order, in their
    exact types."""
    pairs = enumerate(zip(columns, wanted, strict=True), start=1)
    values = [f"{_value(f't{place}', *pair)} AS c{place}" for place, pair in pairs]
    return f"SELECT {', '.join(values)} FROM {{rows}}"


def _asked(server: ServerColumn, column: Column) -> str:
    name = quote_name(server.name)
    if server.kind == "bit":
        name = f"CAST({name} AS UNSIGNED)"
    if not _is_text(server, column):
        return name  # of GEOMETRY four bytes of SRID, then WKB: ST_AsWKB would lose the SRID
    if server.kind == "float":
        # Of FLOAT the server writes six digits; of DOUBLE all that it takes to read it back.
        name = f"CAST({name} AS DOUBLE)"
    return f"CAST({name} AS CHAR)" if server.kind in SENT_AS_NUMBERS else name


def _is_text(server: ServerColumn, column: Column) -> bool:
    """Say whether a value arrives as the server writes it, because it is wanted in a type of its own."""
    natural = duckdb_type(server)
    are_whole = natural in DUCKDB_INTEGERS and column.type in DUCKDB_INTEGERS
    typed = column.type == natural or are_whole or column.type in DATES.get(server.kind, ())
    return server.kind not in SENT_AS_NUMBERS or not typed


def _value(name: str, server: ServerColumn, column: Column) -> str:
    natural = duckdb_type(server)
    what = f"column {column.name}"
    if natural == "BLOB":
        return _bytes_value(name, column)
    if column.type == natural:
        return f"CAST({name} AS {natural})"
    if _is_text(server, column):
        return from_text(name, column.type, what)
    if server.kind not in DATES:
        return from_sound_text(name, column.type, what)
    if column.type == INSTANT:
        return name
    fits = typed_fits(name, DATES[server.kind][0], column.type)
    return or_error(name, column.type, fits, what)


def _bytes_value(text: str, column: Column) -> str:
    if column.type == "BLOB":
        return text
    if column.type == "VARCHAR":
        return f"decode({text})"
    raise StepError(
        Diagnostic(
            rule="unsupported-type",
            message=f"column {column.name} holds bytes, which can't be read as {column.type}",
            fix="declare it as BLOB or VARCHAR and convert it in a model",
        )
    )
