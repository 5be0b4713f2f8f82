"""What the server is asked to write, as exact text, and how DuckDB reads it back."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.sources._exact import INTEGERS as DUCKDB_INTEGERS
from osiris_sql.sources._exact import from_sound_text, from_text
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.relation import Column

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
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "time": "INTERVAL",
    "uuid": "UUID",
}
BYTES = frozenset(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"])
SHAPES = frozenset({"geometry", "point", "linestring", "polygon", "geometrycollection", "geomcollection"}) | {
    "multipoint",
    "multilinestring",
    "multipolygon",
}
DATES = frozenset({"date", "datetime", "timestamp"})


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


def select_list(columns: list[ServerColumn]) -> str:
    """Return what is asked of the server, so that the text of each value is exact."""
    return ", ".join(_server_text(column) for column in columns)


def is_binary(column: ServerColumn) -> bool:
    """Say whether the column's values are bytes and not text."""
    return column.kind in BYTES | SHAPES


def decode_select(columns: list[ServerColumn], wanted: tuple[Column, ...]) -> str:
    """Return the DuckDB SELECT over `{rows}` (text columns t1, t2, …) that yields `wanted`, in order, in
    their exact types."""
    pairs = list(enumerate(zip(columns, wanted, strict=True), start=1))
    texts = [f"{_text(f't{place}', server, column)} AS t{place}" for place, (server, column) in pairs]
    values = [f"{_value(f't{place}', server, column)} AS c{place}" for place, (server, column) in pairs]
    return f"SELECT {', '.join(values)} FROM (SELECT {', '.join(texts)} FROM {{rows}})"


def _server_text(column: ServerColumn) -> str:
    name = quote_name(column.name)
    if column.kind == "float":
        # As FLOAT the server writes six digits; as DOUBLE all that it takes to read it back.
        return f"CAST({name} AS DOUBLE)"
    if column.kind == "bit":
        return f"{name} + 0"
    return name  # of GEOMETRY four bytes of SRID, then WKB: ST_AsWKB would lose the SRID


def _text(text: str, server: ServerColumn, column: Column) -> str:
    if column.type == "TIMESTAMP WITH TIME ZONE" and server.kind in {"datetime", "timestamp"}:
        return f"{text} || '+00'"
    return text


def _value(text: str, server: ServerColumn, column: Column) -> str:
    natural = duckdb_type(server)
    what = f"column {column.name}"
    if natural == "BLOB":
        return _bytes_value(text, column)
    if column.type == natural and server.kind not in DATES:
        return f"CAST({text} AS {natural})"
    if column.type == natural or (natural in DUCKDB_INTEGERS and column.type in DUCKDB_INTEGERS):
        return from_sound_text(text, column.type, what)
    return from_text(text, column.type, what)


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
