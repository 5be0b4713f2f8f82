"""What publications would change, for people: counts, the first rows, and what would stop them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from osiris_sql.cli import screen
from osiris_sql.support import wire
from osiris_sql.support.excerpt import printable
from osiris_sql.types.difference import PublicationDifference, RowChange
from osiris_sql.types.plan import Plan

MARKS = {"insert": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
WIDEST = 60  # characters of one value


def write_differences(plan: Plan, found: Sequence[PublicationDifference]) -> None:
    """Print one document: the plan as `--out` writes it, and what its publications would change."""
    differences = [wire.to_data(one) for one in found]
    screen.write(wire.dump_canonical({"plan": wire.to_data(plan), "differences": differences}))


def show_differences(found: Sequence[PublicationDifference]) -> None:
    """Print what publications would change, under the plan."""
    console = screen.out()
    for one in found:
        for line in difference_lines(one):
            console.print(line, soft_wrap=True)
    if not found:
        console.print("nothing is published by this plan", style="dim")


def difference_lines(found: PublicationDifference) -> Iterator[Text]:
    """Yield the lines of one publication."""
    name = Text(found.step.removeprefix("publish."), "bold")
    made = found.difference
    if made is None:
        yield name.append(f"  not compared: {found.why}", "yellow")
    else:
        yield name.append(
            f"  {found.mode}: {made.inserted:,} to insert, {made.updated:,} to update,"
            f" {made.deleted:,} to delete, {made.unchanged:,} unchanged",
            "",
        ).append(f"  (the model has {found.rows:,} rows, the table {made.total_before:,})", "dim")
    for note in found.notes:
        yield Text(f"  {printable(note)}", "dim")
    for change in made.samples if made else ():
        mark, style = MARKS[change.kind]
        yield Text(f"  {mark} ", style).append(printable(_words(change)), "")
    for refused in (*found.refusals, *(made.refusals if made else ())):
        yield Text("  would be refused: ", "red").append(printable(refused.message), "")


def _words(change: RowChange) -> str:
    key = _values(change.key)
    if change.kind == "update":
        changed = (f"{n}: {_shown(change.before[n])} → {_shown(change.after[n])}" for n in change.after)
        return f"{key}  {', '.join(changed)}"
    row = change.after if change.kind == "insert" else change.before
    rest = _values({name: value for name, value in row.items() if name not in change.key})
    return "  ".join(filter(None, [key, rest]))


def _values(row: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={_shown(value)}" for name, value in row.items())


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if len(value) <= WIDEST else f"{value[:WIDEST]}…"
