"""How numbers, tables and headings are written on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.program.growth import Spread


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def seconds(spread: Spread) -> str:
    if spread.runs == 1:
        return f"{short(spread.median)} (one run)"
    return f"{short(spread.median)} ({short(spread.least)}–{short(spread.most)})"


def short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def anchor(heading: str) -> str:
    """Return what GitHub makes of a heading."""
    return "".join(
        char if char.isalnum() or char in "-_" else "-" * (char == " ") for char in heading.lower()
    )
