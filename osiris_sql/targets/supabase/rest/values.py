"""Values as they were written and as the API gives them back, brought to one form that can be compared."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_MOMENTS = ("timestamp", "date")
_EXACT = ("boolean", "text", "uuid", "bytea", "jsonb")


def is_comparable(type_: str) -> bool:
    """Say whether values of a PostgreSQL type can be compared without asking PostgreSQL."""
    return type_.startswith((*_NUMBERS, *_MOMENTS, *_EXACT))


def read_json(text: str | bytes) -> Any:
    """Return JSON with its numbers exact."""
    return json.loads(text, parse_float=Decimal)


def comparable(value: Any, type_: str) -> Any:
    """Return the same for the same value of a comparable type, however it is spelled."""
    if value is None or type_ == "jsonb":
        return value
    if type_.startswith(_NUMBERS):
        return _number(str(value))
    if type_.startswith(_MOMENTS):
        return _moment(str(value))
    return value if isinstance(value, bool) else str(value).lower() if type_ == "bytea" else str(value)


def _number(text: str) -> Any:
    number = Decimal(text)
    return "NaN" if number.is_nan() else number


def _moment(text: str) -> Any:
    """Moments that Python has no room for, such as infinity, stay the text they are."""
    try:
        found = datetime.fromisoformat(_with_minutes(text))
    except ValueError:
        return text.replace("T", " ")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _with_minutes(text: str) -> str:
    # DuckDB writes the offset of UTC as +00.
    return f"{text}:00" if len(text) > 13 and text[-3] in "+-" else text
