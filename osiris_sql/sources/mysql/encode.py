"""One line a row: the server writes each value as exact text, DuckDB reads it back.

Columns are separated by 0x1F; a lone 0x1E is NULL; in text 0x1D, 0x1E and 0x1F are written as 0x1D
and a digit. pymysql's cost is by the value, so one string a row is six times as fast as its rows.
"""

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
UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii"})
DATES = frozenset({"date", "datetime", "timestamp"})
SEPARATOR, NULL, ESCAPE = "1F", "1E", "1D"


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


def line_expression(columns: list[ServerColumn]) -> str:
    """Return the SQL expression by which the server writes a row as one line of bytes.

    It is NULL if any part of it could not be made, as where a value exceeds max_allowed_packet.
    """
    parts = [f"IF({quote_name(c.name)} IS NULL, X'{NULL}', {_server_text(c)})" for c in columns]
    between = f", X'{SEPARATOR}', "
    return f"CONCAT({between.join(parts)}, X'')"


def decode_select(columns: list[ServerColumn], wanted: tuple[Column, ...]) -> str:
    """Return the DuckDB SELECT over `{lines}` that yields `wanted`, in order, in their exact types."""
    pairs = list(enumerate(zip(columns, wanted, strict=True), start=1))
    texts = [f"{_text(f'p[{place}]', server, column)} AS t{place}" for place, (server, column) in pairs]
    values = [f"{_value(f't{place}', server, column)} AS c{place}" for place, (server, column) in pairs]
    whole = f"CASE WHEN len(p) = {len(columns)} THEN true ELSE error('a line of the source is broken') END"
    split = f"SELECT string_split(line, chr({int(SEPARATOR, 16)})) AS p FROM {{lines}}"
    return f"SELECT {', '.join(values)} FROM (SELECT {', '.join(texts)} FROM ({split}) WHERE {whole})"


def _server_text(column: ServerColumn) -> str:
    name = quote_name(column.name)
    if column.kind in INTEGERS or column.kind in {"decimal", "double", "year", "time"} | DATES:
        return name
    if column.kind == "float":
        # As FLOAT the server writes six digits; as DOUBLE all that it takes to read it back.
        return f"CAST({name} AS DOUBLE)"
    if column.kind == "bit":
        return f"({name} + 0)"
    if column.kind in BYTES:
        return f"HEX({name})"
    if column.kind in SHAPES:
        return f"HEX({name})"  # four bytes of SRID, then WKB: ST_AsWKB would lose the SRID
    if column.charset is None:
        name = f"CAST({name} AS CHAR CHARACTER SET utf8mb4)"
    elif column.charset not in UTF8:
        name = f"CONVERT({name} USING utf8mb4)"
    # The hexadecimal literals are binary, so REPLACE compares bytes, whatever the collation.
    for digit, byte in enumerate((ESCAPE, NULL, SEPARATOR)):
        name = f"REPLACE({name}, X'{byte}', X'{ESCAPE}3{digit}')"
    return name


def _text(part: str, server: ServerColumn, column: Column) -> str:
    raw = f"nullif({part}, chr({int(NULL, 16)}))"
    if duckdb_type(server) == "VARCHAR" and server.kind != "decimal":
        for digit, byte in ((2, SEPARATOR), (1, NULL), (0, ESCAPE)):
            raw = f"replace({raw}, chr({int(ESCAPE, 16)}) || '{digit}', chr({int(byte, 16)}))"
    if column.type == "TIMESTAMP WITH TIME ZONE" and server.kind in {"datetime", "timestamp"}:
        return f"{raw} || '+00'"
    return raw


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
