"""What `discover` found changed at the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from osiris_sql.support.excerpt import printable
from osiris_sql.types.diagnostic import Diagnostic

if TYPE_CHECKING:
    from osiris_sql.api import SourceChange


def change_lines(changes: Sequence[SourceChange]) -> Text:
    """Return one line a table, with a line for each column that came, went or changed its type."""
    return Text("\n").join([_table(change) for change in changes])


def _table(change: SourceChange) -> Text:
    name = printable(change.node.partition(":")[2])
    if change.missing:
        return Text.assemble(("✗ ", "bold red"), name, ("  not found at the source", "red"))
    columns = [
        *(("+", "green", column) for column in change.added),
        *(("-", "red", column) for column in change.removed),
        *(("~", "yellow", column) for column in change.retyped),
    ]
    text = Text.assemble(("✓ ", "green"), name, ("" if columns else "  unchanged", "dim"))
    for mark, style, column in columns:
        text.append(f"\n    {mark} {printable(column)}", style)
    return text


def change_diagnostics(changes: Sequence[SourceChange]) -> list[Diagnostic]:
    """Return a diagnostic for each table that its source does not have."""
    return [
        Diagnostic(
            rule="missing-table",
            message=f"the source has no table for {change.node.partition(':')[2]}",
            why="its entry of sources.lock is kept as it was",
            fix="correct its name or identifier in sources.yml, or take it out",
        )
        for change in changes
        if change.missing
    ]


def changes_data(changes: Sequence[SourceChange]) -> list[dict[str, Any]]:
    """Return the changes as plain data."""
    return [asdict(change) for change in changes]
