"""The types of values that a file holds as text, decided by every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris_sql.sources._exact import DAY, ZONE, text_literal
from osiris_sql.sources.files.relation import FileRelation
from osiris_sql.types.relation import quote_identifier

if TYPE_CHECKING:
    import duckdb

BOOLEAN, INTEGER, HUGE, DECIMAL, FLOAT = 1, 2, 4, 8, 16
DATE, TIMESTAMP, INSTANT, TIME, TEXT, NESTED = 32, 64, 128, 256, 512, 1024
NUMBERS = INTEGER | HUGE | DECIMAL | FLOAT
LOOKS_LIKE_MONEY = 9
"""With more digits than this after the point, numbers are taken as measured, that is DOUBLE."""

MOST_DIGITS = 300
"""What a DOUBLE can hold before the point."""

WHOLE = r"-?(0|[1-9][0-9]*)"
CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
PATTERNS = {
    BOOLEAN: r"(?i)true|false",
    DECIMAL: WHOLE + r"\.[0-9]+",
    FLOAT: WHOLE + r"(\.[0-9]+)?[eE][+-]?[0-9]+",
    DATE: DAY,
    TIMESTAMP: DAY + f"[ T]{CLOCK}",
    INSTANT: DAY + f"[ T]{CLOCK}{ZONE}",
    TIME: CLOCK,
}
CASTS = {FLOAT: "DOUBLE", DATE: "DATE", TIMESTAMP: "TIMESTAMP", TIME: "TIME"} | {
    INSTANT: "TIMESTAMP WITH TIME ZONE"
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the values of a column look like: a set of kinds, and the most digits seen on each side."""

    kinds: int = 0
    whole_digits: int = 0
    fraction_digits: int = 0

    def __or__(self, other: Found) -> Found:
        return Found(
            kinds=self.kinds | other.kinds,
            whole_digits=max(self.whole_digits, other.whole_digits),
            fraction_digits=max(self.fraction_digits, other.fraction_digits),
        )


def sniff(con: duckdb.DuckDBPyConnection, relation: FileRelation) -> tuple[int, dict[str, Found]]:
    """Return the number of rows of a file, and what its columns hold, in one scan of all rows."""
    names = list(relation.types)
    is_json = relation.format == "jsonl"
    kinds: list[str] = []
    for place, quoted in enumerate(map(quote_identifier, names)):
        text = f"({quoted} ->> '$')" if is_json else quoted
        kinds.append(f"{_kind(text, quoted if is_json else None)} AS k{place}")
        counted = f"k{place} IN ({INTEGER}, {HUGE}, {DECIMAL})"
        kinds.append(f"CASE WHEN {counted} THEN ltrim({text}, '-') END AS n{place}")
    folded = [
        f"coalesce(bit_or(k{place}), 0), coalesce(max(length(split_part(n{place}, '.', 1))), 0),"
        f" coalesce(max(length(split_part(n{place}, '.', 2))), 0)"
        for place in range(len(names))
    ]
    select = (
        f"SELECT {', '.join(['count(*)', *folded])} FROM (SELECT {', '.join(kinds)} FROM ({relation.sql}))"
    )
    [(rows, *numbers)] = con.execute(select).fetchall()
    found = [
        Found(kinds=numbers[i], whole_digits=numbers[i + 1], fraction_digits=numbers[i + 2])
        for i in range(0, len(numbers), 3)
    ]
    return rows, dict(zip(names, found, strict=True))


def resolve(found: Found, *, is_json: bool) -> str:
    """Return the DuckDB type that holds every value seen; no value at all makes it VARCHAR."""
    kinds = found.kinds
    if kinds and not kinds & ~NUMBERS and found.whole_digits <= MOST_DIGITS:
        return _number(found)
    exact = {BOOLEAN: "BOOLEAN", DATE: "DATE", TIMESTAMP: "TIMESTAMP", DATE | TIMESTAMP: "TIMESTAMP"} | {
        INSTANT: "TIMESTAMP WITH TIME ZONE",
        TIME: "TIME",
    }
    only_strings = not kinds & (NUMBERS | BOOLEAN | NESTED)
    return exact.get(kinds, "VARCHAR" if only_strings or not is_json else "JSON")


def _number(found: Found) -> str:
    if found.kinds == INTEGER:
        return "BIGINT"
    digits = found.whole_digits + found.fraction_digits
    if found.kinds & FLOAT or found.fraction_digits > LOOKS_LIKE_MONEY or digits > 38:
        return "DOUBLE" if found.kinds & (FLOAT | DECIMAL) else "VARCHAR"
    return f"DECIMAL({18 if digits <= 18 else 38},{found.fraction_digits})"


def _kind(text: str, json: str | None) -> str:
    """The expression for the kind of one value; in JSON a string never counts as a number."""
    numbers = (
        f"WHEN regexp_full_match({text}, '{WHOLE}')"
        f" THEN CASE WHEN try_cast({text} AS BIGINT) IS NULL THEN {HUGE} ELSE {INTEGER} END"
    )
    tests = {kind: _matches(text, kind) for kind in PATTERNS}
    cases = " ".join(f"WHEN {test} THEN {kind}" for kind, test in tests.items())
    if json is None:
        return f"CASE WHEN {text} IS NULL THEN 0 {numbers} {cases} ELSE {TEXT} END"
    strings = " ".join(f"WHEN {tests[kind]} THEN {kind}" for kind in (DATE, TIMESTAMP, INSTANT, TIME))
    return (
        f"CASE json_type({json}) WHEN 'NULL' THEN 0 WHEN 'BOOLEAN' THEN {BOOLEAN}"
        f" WHEN 'OBJECT' THEN {NESTED} WHEN 'ARRAY' THEN {NESTED}"
        f" WHEN 'VARCHAR' THEN CASE {strings} ELSE {TEXT} END"
        f" ELSE CASE WHEN {json} IS NULL THEN 0 {numbers}"
        f" WHEN coalesce(isfinite(try_cast({text} AS DOUBLE)), false) THEN {FLOAT} ELSE {NESTED} END END"
    )


def _matches(text: str, kind: int) -> str:
    match = f"regexp_full_match({text}, {text_literal(PATTERNS[kind])})"
    if kind not in CASTS:
        return match
    value = f"try_cast({text} AS {CASTS[kind]})"
    finite = f"coalesce(isfinite({value}), false)" if kind == FLOAT else f"{value} IS NOT NULL"
    return f"({match} AND {finite})"
