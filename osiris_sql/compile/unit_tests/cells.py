"""The rows of a fixture as text, before they have types: from mappings or from CSV."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from osiris_sql.compile.unit_tests.mistake import UnitTestError
from osiris_sql.types.noun import Json

Cell = Json
"""None, text, a number, true or false; a list or mapping for a column of a nested type."""


_CSV_CELL = re.compile(r'[ \t]*(?:("(?:[^"]|"")*")[ \t]*|([^,\n]*?))(,|\r?\n|\Z)')


@dataclass(frozen=True, slots=True)
class Cells:
    """Column names as written, and rows of cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def cells_of_dicts(rows: Sequence[Mapping[str, Json]]) -> Cells:
    """Return rows that were written as mappings; a column that a row leaves out is NULL."""
    columns = tuple(dict.fromkeys(str(name) for row in rows for name in row))
    return Cells(columns, tuple(tuple(row.get(name) for name in columns) for row in rows))


def cells_of_csv(text: str) -> Cells:
    """Return rows that were written as CSV with a header; an empty cell is NULL, what stands in quotes is
    just that. Raises UnitTestError."""
    lines = _csv_lines(text.strip())
    if not lines:
        return Cells((), ())
    columns, rows = [name or "" for name in lines[0]], lines[1:]
    ragged = [
        f"row {number} has {len(row)} values, the header {len(columns)}"
        for number, row in enumerate(rows, 1)
        if len(row) != len(columns)
    ]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    problems = ragged + [f'the header names "{name}" twice' for name in twice]
    if problems:
        raise UnitTestError("\n".join(problems))
    return Cells(tuple(columns), tuple(tuple(row) for row in rows))


def _csv_lines(text: str) -> list[list[str | None]]:
    """Return the cells of each line that holds something."""
    lines: list[list[str | None]] = [[]]
    for quoted, plain, end in _CSV_CELL.findall(text):
        exact = quoted[1:-1].replace('""', '"') if quoted else plain.strip() or None
        lines[-1].append(exact)
        if end != ",":
            lines.append([])
    return [line for line in lines if line not in ([], [None])]


def cell_text(cell: Cell, *, as_json: bool) -> str | None:
    """Return a cell as the text that DuckDB casts."""
    if cell is None:
        return None
    if as_json or isinstance(cell, bool | list | dict):
        return json.dumps(cell, ensure_ascii=False)
    return str(cell)
