"""Values of a fixture under their column's type: cast exactly, or named as a mistake."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from osiris_sql.compile.unit_tests.stage import RAW, Stage
from osiris_sql.types.noun import Json
from osiris_sql.types.relation import Column

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_EXACT_NUMBERS = (*_WHOLE, *(f"U{name}" for name in _WHOLE))
_APPROXIMATE = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column of RAW, called `name` there and of type `raw_type`, that is to become `column`.

    `as_json` says that its texts are JSON, for a nested type.
    """

    column: Column
    name: str
    raw_type: str = "VARCHAR"
    as_json: bool = False

    def cast(self, function: str = "CAST") -> str:
        """Return the expression that gives the value its type; `TRY_CAST` gives NULL where it can't."""
        inner = f"{function}({self.name} AS JSON)" if self.as_json else self.name
        return f"{function}({inner} AS {self.column.type})"


def cast_problems(raw: RawColumn, stage: Stage) -> Iterator[str]:
    """Yield a line for each value that has no exact form in its column's type."""
    tried = raw.cast("TRY_CAST")
    shown = f"to_json({tried})" if raw.as_json else tried
    rows = stage.run(
        f"SELECT n, CAST({raw.name} AS VARCHAR), {tried} IS NULL, CAST({shown} AS VARCHAR),"
        f" {_differs(raw, tried)} FROM {RAW.sql} WHERE {raw.name} IS NOT NULL ORDER BY n",
        f'column "{raw.column.name}"',
    )
    for number, written, impossible, made, differs in rows:
        cell = f'row {number}, column "{raw.column.name}": {written!r}'
        if impossible:
            yield f"{cell} is no {raw.column.type}"
        elif differs or _text_differs(raw, written, made):
            yield f"{cell} would become {made} as {raw.column.type}"


def _differs(raw: RawColumn, tried: str) -> str:
    """Return the SQL that says whether a cast lost something."""
    if raw.raw_type != "VARCHAR":
        back = f"TRY_CAST({tried} AS {raw.raw_type}) IS DISTINCT FROM {raw.name}"
        return "false" if raw.column.type in _APPROXIMATE else back
    if raw.column.type == "DATE" or raw.column.type.startswith("TIMESTAMP"):
        # A time of day, or an offset from UTC, that the type has no room for.
        return f"TRY_CAST({tried} AS TIMESTAMPTZ) IS DISTINCT FROM TRY_CAST({raw.name} AS TIMESTAMPTZ)"
    return "false"


def _text_differs(raw: RawColumn, written: str, made: str) -> bool:
    if raw.as_json:
        return not _holds(json.loads(made), json.loads(written))
    if raw.raw_type == "VARCHAR" and raw.column.type.startswith((*_EXACT_NUMBERS, "DECIMAL")):
        try:
            return Decimal(written) != Decimal(made)
        except InvalidOperation:
            return False
    return False


def _holds(made: Any, written: Json) -> bool:
    """Say whether a nested value kept what was written: every key, every element, every number."""
    if isinstance(written, dict):
        return isinstance(made, dict) and all(_holds(made.get(k), v) for k, v in written.items())
    if isinstance(written, list):
        same = isinstance(made, list) and len(made) == len(written)
        return same and all(_holds(m, w) for m, w in zip(made, written, strict=True))
    numbers = isinstance(written, int | float) and isinstance(made, int | float)
    return bool(made == written) if numbers else (made is None) == (written is None)
