"""Rows of a model on the screen."""

from __future__ import annotations

import re
from typing import Any

from osiris_sql.cli import screen
from osiris_sql.support.rows import rows_table
from osiris_sql.types.result import RunResult

_NUMBER = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|FLOAT|DOUBLE)$")


def show_rows(result: RunResult, limit: int, *, as_json: bool) -> None:
    """Print the rows that a preview found: a table, or a JSON list of one object a row."""
    for step in result.steps:
        if "rows" not in step.facts:
            continue
        names = [name for name, _ in step.facts["columns"]]
        rows = step.facts["rows"]
        if as_json:
            screen.print_json([_row(names, row) for row in rows])
            continue
        numbers = [bool(_NUMBER.match(type_)) for _, type_ in step.facts["columns"]]
        screen.out().print(rows_table(names, rows, numbers))
        more = f"the first {limit} rows" if len(rows) == limit else f"{len(rows)} rows, all there are"
        screen.err().print(more, style="dim")


def _row(names: list[str], row: list[Any]) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))
