"""A plot of one series as SVG: seconds and memory over size, for a light and for a dark page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from benchmarks.program.growth import Spread, contenders_of, points_of

WIDTH, HEIGHT = 900, 420
TOP, BOTTOM, SIDE, GAP = 52, 116, 64, 84
FONT = "font-family='system-ui, sans-serif'"


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours of one page; `lines` are told apart by people who see few colours, and by their marks."""

    name: str
    paper: str
    ink: str
    faint: str
    lines: tuple[str, ...]


THEMES = (
    Theme(
        name="light",
        paper="#ffffff",
        ink="#1f2328",
        faint="#d8dee4",
        lines=("#0550ae", "#cf5c00", "#1a7f56", "#8b3fa8", "#b3261e", "#57606a", "#8a6d00"),
    ),
    Theme(
        name="dark",
        paper="#0d1117",
        ink="#e6edf3",
        faint="#30363d",
        lines=("#58a6ff", "#ff9a4d", "#4ccf94", "#d18cf0", "#ff7b72", "#a5b0bb", "#e3c04a"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A logarithmic scale from `low` to `high` over the pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value; one below the scale, as a memory of 0 is, stands at its foot."""
        value = max(value, self.low)
        share = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Powers of ten, and 2 and 5 of them where there is room."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        steps = (1, 2, 5) if self.high / self.low < 200 else (1,)
        found = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        return [value for value in found if self.low <= value * 1.0001 and value <= self.high * 1.0001]


def plot_series(result: Mapping[str, Any], theme: Theme) -> str:
    """Return the SVG of a result."""
    roles = contenders_of(result)
    middle = WIDTH / 2
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' {FONT} font-size='13'>",
        f"<title>{escape(result['title'])}</title>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='{theme.paper}'/>",
        *_panel(result, roles, "wall", "seconds", theme, SIDE, middle - GAP / 2),
        *_panel(result, roles, "peak_mb", "peak memory, MB", theme, middle + GAP / 2 - 6, WIDTH - 20),
        *_legend(roles, theme),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(
    result: Mapping[str, Any],
    roles: Mapping[str, str],
    measure: str,
    title: str,
    theme: Theme,
    left: float,
    right: float,
) -> list[str]:
    lines = {name: points_of(result, name, measure) for name in roles}
    sizes = sorted({size for points in lines.values() for size in points})
    spreads = [spread for points in lines.values() for spread in points.values()]
    low, high = _bounds([one.least for one in spreads], [one.most for one in spreads])
    across = Axis(low=sizes[0], high=max(sizes[-1], sizes[0] * 1.01), start=left + 8, end=right - 8)
    upward = Axis(low=low, high=high, start=HEIGHT - BOTTOM, end=TOP)
    parts = [f"<text x='{left}' y='{TOP - 24}' fill='{theme.ink}' font-weight='600'>{title}</text>"]
    for value in upward.ticks():
        y = upward.at(value)
        parts.append(
            f"<line x1='{left}' y1='{y:.1f}' x2='{right}' y2='{y:.1f}' stroke='{theme.faint}'/>"
            f"<text x='{left - 8}' y='{y + 4:.1f}' fill='{theme.ink}' text-anchor='end'>{value:g}</text>"
        )
    parts += [
        f"<text x='{across.at(size):.1f}' y='{HEIGHT - BOTTOM + 20}' fill='{theme.ink}'"
        f" text-anchor='middle'>{_short(size)}</text>"
        for size in sizes
    ]
    unit = f"<text x='{(left + right) / 2:.0f}' y='{HEIGHT - BOTTOM + 38}' fill='{theme.ink}'"
    parts.append(f"{unit} text-anchor='middle'>{escape(result['unit'])}</text>")
    for number, (name, role) in enumerate(roles.items()):
        parts += _line(lines[name], role, number, theme, across, upward)
    return parts


def _line(
    points: Mapping[int, Spread], role: str, number: int, theme: Theme, across: Axis, upward: Axis
) -> list[str]:
    colour = theme.lines[number % len(theme.lines)]
    places = [(across.at(size), upward.at(spread.median)) for size, spread in points.items()]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [f"<polyline points='{path}' fill='none' stroke='{colour}' {_stroke(role)}/>"]
    for (x, y), spread in zip(places, points.values(), strict=True):
        ends = f"y1='{upward.at(spread.least):.1f}' y2='{upward.at(spread.most):.1f}'"
        parts.append(f"<line x1='{x:.1f}' x2='{x:.1f}' {ends} stroke='{colour}'/>")
        parts.append(_mark(x, y, number, colour))
    return parts


def _mark(x: float, y: float, number: int, colour: str) -> str:
    if number % 3 == 0:
        return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'/>"
    if number % 3 == 1:
        return f"<rect x='{x - 3.5:.1f}' y='{y - 3.5:.1f}' width='7' height='7' fill='{colour}'/>"
    return f"<path d='M{x:.1f} {y - 5:.1f}l5 8.5h-10z' fill='{colour}'/>"


def _stroke(role: str) -> str:
    return {"ours": "stroke-width='3'", "limit": "stroke-width='2' stroke-dasharray='2 4'"}.get(
        role, "stroke-width='1.75'"
    )


def _legend(roles: Mapping[str, str], theme: Theme) -> list[str]:
    """Three names a row; the limit says that it is one."""
    parts = []
    for number, (name, role) in enumerate(roles.items()):
        x, y = SIDE + (number % 3) * 280, HEIGHT - 54 + (number // 3) * 20
        colour = theme.lines[number % len(theme.lines)]
        label = f"{name} (limit)" if role == "limit" else name
        parts.append(
            f"<line x1='{x}' y1='{y - 4}' x2='{x + 22}' y2='{y - 4}' stroke='{colour}' {_stroke(role)}/>"
            f"{_mark(x + 11, y - 4, number, colour)}"
            f"<text x='{x + 28}' y='{y}' fill='{theme.ink}' font-size='12'>{escape(label)}</text>"
        )
    return parts


def _bounds(least: Sequence[float], most: Sequence[float]) -> tuple[float, float]:
    low, high = min(value for value in least if value > 0), max(most)
    return (low / 1.3, high * 1.3) if high / low > 3 else (low / 2, high * 2)


def _short(size: int) -> str:
    for power, letter in ((1_000_000, "M"), (1000, "k")):
        if size >= power:
            return f"{size / power:g}{letter}"
    return str(size)
