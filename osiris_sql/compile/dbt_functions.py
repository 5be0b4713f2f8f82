"""dbt's cross-database macros, as DuckDB writes them: `dbt.date_trunc` and the like."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

TYPE_NAMES: Mapping[str, str] = {
    "type_string": "VARCHAR",
    "type_timestamp": "TIMESTAMP",
    "type_float": "FLOAT",
    "type_numeric": "NUMERIC(28,6)",
    "type_bigint": "BIGINT",
    "type_int": "INTEGER",
    "type_boolean": "BOOLEAN",
}


def date_trunc(datepart: str, date: str) -> str:
    """Return a date cut to the start of a part, such as `month`."""
    return f"date_trunc('{datepart}', {date})"


def datediff(first_date: str, second_date: str, datepart: str) -> str:
    """Return how many boundaries of a part lie between two dates."""
    return f"date_diff('{datepart}', {first_date}::timestamp, {second_date}::timestamp)"


def dateadd(datepart: str, interval: object, from_date_or_timestamp: str) -> str:
    """Return a date moved by a number of parts."""
    return f"date_add({from_date_or_timestamp}, interval ({interval}) {datepart})"


def last_day(date: str, datepart: str) -> str:
    """Return the last day of the month, quarter or year that a date is in."""
    return f"cast(date_trunc('{datepart}', {date}) + interval (1) {datepart} - interval (1) day as date)"


def concat(fields: Sequence[str]) -> str:
    """Return texts joined to one."""
    return " || ".join(fields)


def cast(field: str, type: str) -> str:  # noqa: A002  (the name that dbt gave it)
    """Return a value as another type."""
    return f"cast({field} as {type})"


def safe_cast(field: str, type: str) -> str:  # noqa: A002
    """Return a value as another type, NULL where it does not fit."""
    return f"try_cast({field} as {type})"


def digest(field: str) -> str:
    """Return the md5 of a value's text."""
    return f"md5(cast({field} as varchar))"


def split_part(string_text: str, delimiter_text: str, part_number: int) -> str:
    """Return one part of a text, counted from 1."""
    return f"split_part({string_text}, {delimiter_text}, {part_number})"


def string_literal(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def current_timestamp() -> str:
    """Return the run clock's function."""
    return "now()"


def surrogate_key(field_list: Sequence[str]) -> str:
    """Return dbt_utils' key made of several columns: the md5 of their texts."""
    parts = [f"coalesce(cast({f} as varchar), '_dbt_utils_surrogate_key_null_')" for f in field_list]
    joined = " || '-' || ".join(parts)
    return f"md5({joined})"


def group_by(n: int) -> str:
    """Return `group by 1, 2, … n`."""
    return f"group by {', '.join(str(i) for i in range(1, n + 1))}"


def dbt_namespace() -> SimpleNamespace:
    """Return what templates know as `dbt`."""
    functions: dict[str, Any] = {name: _constant(text) for name, text in TYPE_NAMES.items()}
    functions |= {f.__name__: f for f in (date_trunc, datediff, dateadd, last_day, concat, cast, safe_cast)}
    functions |= {f.__name__: f for f in (split_part, string_literal, current_timestamp)}
    return SimpleNamespace(**functions, hash=digest)


def _constant(text: str) -> Callable[[], str]:
    return lambda: text
