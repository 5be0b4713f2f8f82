"""Column lineage, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from osiris_sql.api.column_paths import ColumnPaths, Coverage, spoken
from osiris_sql.support import wire
from osiris_sql.support.excerpt import printable
from osiris_sql.types.manifest import ColumnInput

Edges = Mapping[ColumnInput, tuple[ColumnInput, ...] | None]


def paths_data(paths: Sequence[ColumnPaths], coverage: Coverage, *, up: bool, down: bool) -> dict[str, Any]:
    """Return what `lineage --json` prints; a field may be added, none is ever renamed."""
    return {
        "columns": [
            {
                **wire.to_data(path.column),
                "type": path.type,
                **({"up": _edges_data(path.up)} if up else {}),
                **({"down": _edges_data(path.down)} if down else {}),
            }
            for path in paths
        ],
        "coverage": {
            "known": coverage.known,
            "columns": coverage.columns,
            "unknown": [wire.to_data(column) for column in coverage.unknown],
        },
    }


def _edges_data(edges: Edges) -> list[dict[str, Any]]:
    """Return each column on the way with the next ones; `next` is null where they can't be known."""
    return [
        {**wire.to_data(column), "next": None if after is None else [wire.to_data(each) for each in after]}
        for column, after in edges.items()
    ]


def paths_text(paths: Sequence[ColumnPaths], *, up: bool, down: bool) -> Text:
    """Return each column with the trees of what it is made from and what it goes into."""
    lines: list[Text] = []
    for path in paths:
        lines.append(
            Text.assemble((printable(spoken(path.column)), "bold"), (f"  {printable(path.type)}", "dim"))
        )
        if up:
            lines += _tree("←", path.column, path.up, "made of no column: a count, a constant or the clock")
        if down:
            lines += _tree("→", path.column, path.down, "goes nowhere")
    return Text("\n").join(lines)


def _tree(arrow: str, start: ColumnInput, edges: Edges, nothing: str) -> Iterator[Text]:
    if edges[start] == ():
        yield Text(f"  {arrow} {nothing}", "dim")
    yield from _branches(arrow, start, edges, 1, set())


def _branches(
    arrow: str, column: ColumnInput, edges: Edges, depth: int, shown: set[ColumnInput]
) -> Iterator[Text]:
    after = edges[column]
    if after is None:
        yield Text(f"{'  ' * depth}{arrow} unknown: this can't be told from the SQL", "yellow")
    for each in after or ():
        again = each in shown and bool(edges[each])
        yield Text(f"{'  ' * depth}{arrow} {printable(spoken(each))}{' …' if again else ''}")
        if not again:
            shown.add(each)
            yield from _branches(arrow, each, edges, depth + 1, shown)


def coverage_text(coverage: Coverage) -> Text:
    """Return how much is known, and what is not."""
    share = 100 * coverage.known / coverage.columns if coverage.columns else 100.0
    lines = [Text(f"{coverage.known} of {coverage.columns} columns are traced ({_percent(share)} %)")]
    lines += [Text(f"  unknown: {printable(spoken(column))}", "yellow") for column in coverage.unknown]
    return Text("\n").join(lines)


def _percent(share: float) -> str:
    """Return a share that says 100 only if it is all."""
    return f"{share:.0f}" if share == 100 else f"{min(share, 99.9):.1f}"
