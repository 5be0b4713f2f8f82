"""DuckDB types as PostgreSQL types, each with the text in which its values travel through COPY."""

import re
from dataclasses import dataclass

_PLAIN = {
    "BOOLEAN": "boolean",
    "UUID": "uuid",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "UTINYINT": "smallint",
    "INTEGER": "integer",
    "USMALLINT": "integer",
    "BIGINT": "bigint",
    "UINTEGER": "bigint",
    "UBIGINT": "numeric(20,0)",
    "HUGEINT": "numeric(39,0)",
    "UHUGEINT": "numeric(39,0)",
    "BIGNUM": "numeric",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIME": "time without time zone",
    "TIME WITH TIME ZONE": "time with time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP_S": "timestamp without time zone",
    "TIMESTAMP_MS": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "INTERVAL": "interval",
}
# PostgreSQL rounds nanoseconds up, across midnight and New Year; so do DuckDB's own casts. A text can be cut.
_MICROSECONDS = (
    "CASE WHEN {{c}} IS NULL OR length(rtrim({{c}}::VARCHAR, '0')) <= {length}"
    " THEN left({{c}}::VARCHAR, {length}) ELSE error({{c}}::VARCHAR ||"
    " ' has nanoseconds, PostgreSQL keeps microseconds: round it in the model, or cast it to VARCHAR') END"
)
_PROJECTED = {
    "VARCHAR": ("text", "{c}"),
    "BIT": ("bit varying", "{c}::VARCHAR"),
    "BLOB": ("bytea", r"'\x' || hex({c})"),
    "JSON": ("jsonb", "{c}"),
    "VARIANT": ("jsonb", "CASE WHEN {c} IS NOT NULL THEN {c}::JSON END"),
    "GEOMETRY": ("text", "{c}::VARCHAR"),
    '"NULL"': ("text", "{c}::VARCHAR"),
    "TIMESTAMP_NS": ("timestamp without time zone", _MICROSECONDS.format(length=26)),
    "TIME_NS": ("time without time zone", _MICROSECONDS.format(length=15)),
}
_NESTED = ("STRUCT(", "MAP(", "UNION(", "TUPLE(")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
# Text in quotes is a field name or an ENUM value; what is followed by a blank is a field name too.
_LEAF = re.compile(r""""(?:[^"]|"")*"|'(?:[^']|'')*'|\bFLOAT(?=[\[,)]|$)|\bDECIMAL\((\d+),\s*(\d+)\)""")


@dataclass(frozen=True, kw_only=True)
class PostgresType:
    """`name` as PostgreSQL prints it; `projection` is a DuckDB expression of `{c}`; `quoted` in CSV."""

    name: str
    projection: str = "{c}"
    quoted: bool = False
    nested: bool = False


def postgres_type(duckdb_type: str) -> PostgresType | None:
    """Return how a DuckDB type arrives exactly in PostgreSQL, or None if it can't."""
    name = duckdb_type.strip()
    if is_nested(name):
        inner = _json_safe(name)
        return PostgresType(name="jsonb", projection=inner, quoted=True, nested=True) if inner else None
    if name.startswith("ENUM("):
        return PostgresType(name="text", projection="{c}::VARCHAR", quoted=True)
    name = name.upper()
    if decimal := _DECIMAL.fullmatch(name):
        return PostgresType(name=f"numeric({decimal[1]},{decimal[2]})")
    if name in _PLAIN:
        return PostgresType(name=_PLAIN[name])
    if name in _PROJECTED:
        made, projection = _PROJECTED[name]
        return PostgresType(name=made, projection=projection, quoted=True, nested=made == "jsonb")
    return None


def is_nested(duckdb_type: str) -> bool:
    """Say whether a DuckDB type holds other types: a list, array, struct, map, union or tuple."""
    return duckdb_type.endswith("]") or duckdb_type.upper().startswith(_NESTED)


def _json_safe(nested: str) -> str | None:
    """Return the expression that writes a nested value as exact JSON, or None if there is none.

    DuckDB's JSON widens FLOAT (0.1 becomes 0.10000000149011612) and writes DECIMAL(p,p) as `.5`,
    which is no JSON: the first travels as the text of the float, the second with one digit more.
    """
    if any(m[1] and m[1] == m[2] == "38" for m in _LEAF.finditer(nested)):
        return None
    texts = _LEAF.sub(lambda m: "VARCHAR" if m[0] == "FLOAT" else _wider(m), nested)
    numbers = _LEAF.sub(lambda m: "JSON" if m[0] == "FLOAT" else _wider(m), nested)
    if texts == nested:
        return "to_json({c})"
    if texts == numbers:
        return f"to_json({{c}}::{texts})"
    return f"to_json({{c}}::{texts}::{numbers})"


def _wider(match: re.Match[str]) -> str:
    if match[1] and match[1] == match[2]:
        return f"DECIMAL({int(match[1]) + 1},{match[2]})"
    return match[0]


_DUCKDB = {
    "boolean": "BOOLEAN",
    "uuid": "UUID",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "date": "DATE",
    "interval": "INTERVAL",
    "bytea": "BLOB",
    "json": "JSON",
    "jsonb": "JSON",
}


def duckdb_type(postgres: str) -> str:
    """Return the DuckDB type closest to a PostgreSQL type, VARCHAR where there is none."""
    if postgres.endswith("[]"):
        return duckdb_type(postgres[:-2]) + "[]"
    if postgres.startswith(("timestamp", "time")):
        base = "TIMESTAMP" if postgres.startswith("timestamp") else "TIME"
        return base + (" WITH TIME ZONE" if postgres.endswith("with time zone") else "")
    sized = re.fullmatch(r"numeric\((\d+),(\d+)\)", postgres)
    if sized and int(sized[1]) <= 38:
        return f"DECIMAL({sized[1]},{sized[2]})"
    if postgres.startswith("numeric"):
        return "BIGNUM" if sized and sized[2] == "0" else "VARCHAR"
    return _DUCKDB.get(postgres, "VARCHAR")


def may_round(natural: str, target: str) -> bool:
    """Say whether PostgreSQL could silently change a value of type `natural` on its way into `target`.

    Then it is staged as it is, and the cast is compared with what went in.
    """
    if natural == target:
        return False
    if target in ("real", "double precision"):
        return natural in ("integer", "bigint", "double precision") or natural.startswith("numeric")
    if target.startswith("numeric("):
        return natural in ("real", "double precision") or natural.startswith("numeric")
    temporal = ("time", "date", "interval")
    return natural.startswith(temporal) and target.startswith(temporal)
