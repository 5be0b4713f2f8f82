"""Argument values as SQL: names and texts quoted, so that a value can't become code by accident."""

import math
import re
from collections.abc import Iterable

from osiris_sql.types.noun import Json
from osiris_sql.types.relation import TableSchema, quote_identifier


def literal(value: Json) -> str:
    """Return a value as a text literal, as dbt writes the values of `accepted_values`."""
    return "'" + written(value).replace("'", "''") + "'"


def written(value: Json) -> str:
    """Return a scalar as SQL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return f"CAST('{value}' AS DOUBLE)"
    return str(value)


def expression(value: Json) -> str:
    """Return SQL that ends its own last comment."""
    text = written(value).strip()
    return f"{text}\n" if "--" in text else text


def named_columns(schema: TableSchema, texts: Iterable[str]) -> str:
    """Return the columns that stand as words in some texts, as a list in SQL, or `1` for none.

    May be more than are meant; `*` where DuckDB's `COLUMNS(…)` may mean any.
    """
    together = "\n".join(texts).replace('""', '"')
    if re.search(r"\bcolumns\s*\(", together, re.IGNORECASE):
        return "*"
    found = [
        quote_identifier(name)
        for name in schema.names
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", together, re.IGNORECASE)
    ]
    return ", ".join(found) or "1"
