"""Rows of text as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from osiris_sql.support.excerpt import printable
from osiris_sql.support.visible import visible


def rows_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[bool] | None = None
) -> Table:
    """Return rows of text as a table; NULL is dim, and the text "NULL" in quotes."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        numbers = bool(right and right[place])
        table.add_column(printable(column), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> Text:
    return Text("NULL", "dim") if value is None else Text(printable(visible(str(value))))
