"""What a column becomes in a file: the type to store, and why some have none."""

from __future__ import annotations

import re
from typing import Literal

Format = Literal["csv", "parquet"]

# Parquet as DuckDB writes it turns HUGEINT into DOUBLE, drops the offset of TIMETZ and the microseconds of
# INTERVAL; their exact forms stand here. The second group only loses its name, never a value.
_PARQUET = {
    "HUGEINT": "DECIMAL(38,0)",
    "UHUGEINT": "DECIMAL(38,0)",
    "BIGNUM": "VARCHAR",
    "TIME WITH TIME ZONE": "VARCHAR",
    "TIME_NS": "VARCHAR",
    "INTERVAL": "VARCHAR",
    "BIT": "VARCHAR",
    "GEOMETRY": "VARCHAR",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    '"NULL"': "VARCHAR",
}
_LOSSY_INSIDE = re.compile(
    r""""(?:[^"]|"")*"|'(?:[^']|'')*'|(U?HUGEINT|BIGNUM|INTERVAL|TIME WITH TIME ZONE|VARIANT|UNION)\b"""
)


def stored_type(duckdb_type: str, format_: Format) -> str | None:
    """Return the DuckDB type in which a column is stored exactly, or None if there is none."""
    name = duckdb_type.strip()
    if name.startswith(("UNION(", "VARIANT", "TUPLE(")):
        return None
    if name.startswith("ENUM("):
        return "VARCHAR"
    nested = name.endswith("]") or name.startswith(("STRUCT(", "MAP("))
    if nested and any(match[1] for match in _LOSSY_INSIDE.finditer(name)):
        return None
    if format_ == "parquet":
        return re.sub(r"\[\d+\]", "[]", name) if nested else _PARQUET.get(name, name)
    if nested:
        return "JSON"
    return "VARCHAR" if name in ("GEOMETRY", '"NULL"') else name


def stored_value(name: str, duckdb_type: str, stored: str) -> str:
    """Return the DuckDB expression that turns a column into its stored type."""
    if stored == duckdb_type:
        return name
    return f"to_json({name})" if stored == "JSON" else f"CAST({name} AS {stored})"
