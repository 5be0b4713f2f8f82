"""Values arrive exactly in the type asked for, or with an error: DuckDB's own casts round and cut.

`'1.5'::INTEGER` is 2, `'2024-01-01 10:00:00'::DATE` loses the hour, `'1e400'::DOUBLE` is infinite:
none of them says so. The expressions here do.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from osiris_sql.types.diagnostic import Diagnostic, StepError

if TYPE_CHECKING:
    import duckdb

SIGNED = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
INTEGERS = frozenset({*SIGNED, *(f"U{name}" for name in SIGNED), "BIGNUM"})
FLOATS = frozenset({"FLOAT", "DOUBLE"})
CASTS_WHOLE = frozenset({"BOOLEAN", "UUID", "BIT", "BLOB", "JSON", "ENUM"})
"""Types whose text DuckDB reads completely or not at all."""

FRACTION_DIGITS = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "TIMESTAMP": 6, "TIMESTAMP_NS": 9}
DAY = r"[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}"
ZONE = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2}(:[0-9]{2})?)?)"
FLOAT = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
NOT_FINITE = r"(?i)[+-]?(nan|inf|infinity)"


@cache
def _types() -> duckdb.DuckDBPyConnection:
    """A database that is asked for types alone: to open one takes as long as thousands of such questions."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


@cache
def canonical_type(type_: str) -> str:
    """Return a type as DuckDB prints it; raises StepError for one that DuckDB does not know."""
    import duckdb

    try:
        with _types().cursor() as con:
            [(found,)] = con.execute(f"SELECT typeof(NULL::{type_})").fetchall()
    except duckdb.Error as error:
        raise StepError(
            Diagnostic(rule="unknown-data-type", message=f'"{type_}" is no DuckDB type', why=str(error))
        ) from error
    return str(found)


def text_fits(text: str, type_: str) -> str:
    """Return a SQL condition: the expression `text`, not NULL, is exactly a value of `type_`.

    Raises StepError for a type that text can't hold.
    """
    value = f"try_cast({text} AS {type_})"
    kind = type_.split("(")[0]
    if type_ == "VARCHAR":
        return "true"
    if kind in FLOATS:
        finite = f"(regexp_full_match({text}, '{FLOAT}') AND isfinite({value}))"
        return f"coalesce({finite} OR regexp_full_match({text}, '{NOT_FINITE}'), false)"
    pattern = _pattern(kind, type_)
    if pattern is None:
        return f"{value} IS NOT NULL"
    return f"({value} IS NOT NULL AND regexp_full_match({text}, {template_literal(pattern)}))"


def from_text(text: str, type_: str, what: str) -> str:
    """Return a SQL expression: `text` as `type_`, or an error that names `what` and the value."""
    if type_ == "VARCHAR":
        return text
    return or_error(text, type_, text_fits(text, type_), what)


def from_sound_text(text: str, type_: str, what: str) -> str:
    """Return what `from_text` does for text that can't lose a part, but may be no value of the type."""
    # Cast once: CASE would ask whether the cast succeeds, and then cast again.
    wrong = _misfit_error(text, type_, what)
    return f"coalesce(try_cast({text} AS {type_}), CASE WHEN {text} IS NOT NULL THEN {wrong} END)"


def typed_fits(value: str, source: str, type_: str) -> str:
    """Return a SQL condition: `value`, of DuckDB type `source`, not NULL, is exactly a `type_`."""
    if source == "VARCHAR":
        return text_fits(value, type_)
    return f"coalesce(try_cast(try_cast({value} AS {type_}) AS {source}) = {value}, false)"


def text_literal(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def template_literal(text: str) -> str:
    """Return a SQL string expression without braces, which `str.format` would take for its own."""
    parts = {"{": "' || chr(123) || '", "}": "' || chr(125) || '"}
    literal = "".join(parts.get(c, c) for c in text_literal(text))
    return literal if literal == text_literal(text) else f"({literal})"


def or_error(value: str, type_: str, fits: str, what: str) -> str:
    """Return a SQL expression: `value` as `type_` where the condition `fits`, else an error."""
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN {fits} THEN try_cast({value} AS {type_}) "
        f"ELSE {_misfit_error(value, type_, what)} END"
    )


def _misfit_error(value: str, type_: str, what: str) -> str:
    """The expression, of the type, that fails with `what` and the value."""
    before = template_literal(f"{what}: ")
    after = template_literal(f" is not exactly a value of type {type_}")
    message = f"{before} || '\"' || left({value}::VARCHAR, 200) || '\"' || {after}"
    return f"CAST(error({message}) AS {type_})"


def _pattern(kind: str, type_: str) -> str | None:
    """The texts of a type that DuckDB reads without losing a part; None means all that it reads."""
    if kind in CASTS_WHOLE and "[" not in type_:
        return None
    if kind in INTEGERS:
        return r" *[+-]?[0-9]+(\.0*)? *"
    if found := re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", type_):
        return rf" *[+-]?[0-9]*(\.[0-9]{{0,{found[1]}}}0*)? *"
    return _time_pattern(type_)


def _time_pattern(type_: str) -> str:
    if type_ == "DATE":
        return DAY + r"([ T]00:00(:00(\.0*)?)?)?( \(BC\))?"
    if type_ in FRACTION_DIGITS:
        return DAY + f"([ T]{_clock(FRACTION_DIGITS[type_])})?" + r"( \(BC\))?"
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return DAY + f"([ T]{_clock(6)}({ZONE})?)?" + r"( \(BC\))?"
    if type_ in {"TIME", "TIME_NS"}:
        return _clock(6 if type_ == "TIME" else 9)
    if type_ == "TIME WITH TIME ZONE":
        return f"{_clock(6)}({ZONE})?"
    if type_ == "INTERVAL":
        return r"[^.]*(\.[0-9]{0,6}0*)?[^0-9.]*"
    raise StepError(
        Diagnostic(
            rule="unsupported-type",
            message=f"text can't be read as {type_}",
            fix="declare the column as VARCHAR or JSON and take it apart in a model",
        )
    )


def _clock(digits: int) -> str:
    fraction = rf"(\.[0-9]{{0,{digits}}}0*)?"
    return rf"[0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}{fraction})?"
