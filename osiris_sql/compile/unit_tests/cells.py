"""The rows of a fixture as text, before they have types: from mappings or from CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from osiris_sql.compile.unit_tests.mistake import UnitTestError
from osiris_sql.types.noun import Json

Cell = Json
"""None, text, a number, true or false; a list or mapping for a column of a nested type."""


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
    """Return rows that were written as CSV with a header; an empty cell is NULL. Raises UnitTestError."""
    lines = [line for line in csv.reader(io.StringIO(text.strip()), skipinitialspace=True) if line]
    if not lines:
        return Cells((), ())
    columns, *rows = [[cell.strip() for cell in line] for line in lines]
    ragged = [
        f"row {number} has {len(row)} values, the header {len(columns)}"
        for number, row in enumerate(rows, 1)
        if len(row) != len(columns)
    ]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    problems = ragged + [f'the header names "{name}" twice' for name in twice]
    if problems:
        raise UnitTestError("\n".join(problems))
    return Cells(tuple(columns), tuple(tuple(cell or None for cell in row) for row in rows))


def cell_text(cell: Cell, *, as_json: bool) -> str | None:
    """Return a cell as the text that DuckDB casts."""
    if cell is None:
        return None
    if as_json or isinstance(cell, bool | list | dict):
        return json.dumps(cell, ensure_ascii=False)
    return str(cell)
