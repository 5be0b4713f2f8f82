"""Compiled models and nodes, for people."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from osiris_sql.support.excerpt import printable
from osiris_sql.types.manifest import CompiledModel

WIDEST_ID = 44
"""Cells to which ids are padded; a longer one moves the rest of its own line only."""
VERDICT_STYLES = {
    "proved": "green",
    "rewritten": "cyan",
    "declared": "yellow",
    "unsafe": "bold red",
    "unknown": "yellow",
}


def models_table(models: Iterable[CompiledModel]) -> Table:
    """Return one row a model: verdict, materialization, name, columns with types."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for model in models:
        words = Text(", ").join([_column(c.name, c.type) for c in model.schema.columns])
        for reason in model.reasons:
            place = f"{reason.location}: " if reason.location else ""
            words.append(f"\n{printable(f'{place}{reason.message}')}", "dim")
        for line in rewrite_diff(model):
            words.append(f"\n{printable(line)}", "red" if line.startswith("-") else "green")
        verdict = Text(model.verdict, VERDICT_STYLES[model.verdict])
        table.add_row(verdict, model.config.materialized, printable(model.name), words)
    return table


def rewrite_diff(model: CompiledModel) -> list[str]:
    """Return the lines that rewrites changed: as the author has them (-), and as they run (+)."""
    if model.author_sql is None:
        return []
    before, after = model.author_sql.splitlines(), model.sql.splitlines()
    lines = list(unified_diff(before, after, lineterm="", n=0))[2:]
    return [line for line in lines if not line.startswith("@@")]


def _column(name: str, data_type: str) -> Text:
    return Text.assemble(printable(name), " ", (printable(data_type), "dim"))


def nodes_lines(nodes: list[dict[str, Any]]) -> Text:
    """Return one line a node: its id, what it is, the place of its declaration.

    Lines and not a table: a name is never cut, because `--select` and scripts take it from here.
    """
    ids = [printable(node["node"]) for node in nodes]
    column = min(max(map(cell_len, ids), default=0), WIDEST_ID)
    kinds = max((len(node["is"]) for node in nodes), default=0)
    return Text("\n").join(
        Text.assemble(
            id_ + " " * (column - cell_len(id_)),
            (f"  {printable(node['is']):<{kinds}}", "cyan"),
            (f"  {printable(_place(node))}", "dim"),
        )
        for id_, node in zip(ids, nodes, strict=True)
    )


def _place(node: dict[str, Any]) -> str:
    return f"{node['path']}:{node['line']}" if node["line"] else str(node["path"])
