"""Writes benchmarks/RESULTS.md and its plots from the results: `python -m benchmarks.program.report`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.program.growth import (
    Spread,
    contenders_of,
    growth_of,
    noise_of,
    points_of,
)
from benchmarks.program.plot import THEMES, plot_series
from benchmarks.program.results import read_results

PAGE = Path(__file__).parents[1] / "RESULTS.md"
PLOTS = PAGE.parent / "plots"
HEAD = """# What was measured

Made by `make bench-report` from the files in [results](results), measured by `make bench` as
[README.md](README.md) says. A number is the median of its runs, with the least and the most in brackets.
Ratios compare runs that took turns on one machine; compare nothing across machines. **×** is the seconds of
another divided by ours: above 1 ours is faster. **× CPU** compares processor seconds, which a busy machine
disturbs less, and **× inside** the tools' own account of a run, without start-up and compiling. The **limit**
is what nobody can beat who does that job.
"""
Result = Mapping[str, Any]


def write_report() -> Path:
    """Write the page and the plots of every result, and return the page."""
    results = read_results()
    PLOTS.mkdir(exist_ok=True)
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    for result in results:
        for theme in THEMES:
            (PLOTS / f"{_slug(result)}-{theme.name}.svg").write_text(plot_series(result, theme))
    parts = [HEAD, "## At a glance\n", _glance(results)]
    for name, group in groupby(results, key=lambda result: str(result["benchmark"])):
        parts += _benchmark(name, list(group))
    PAGE.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts))
    return PAGE


def _glance(results: Sequence[Result]) -> str:
    """One line a contender, at the largest size at which it ran."""
    rows: list[Sequence[str]] = []
    for result in results:
        roles = contenders_of(result)
        ours = next(iter(roles))
        mine = points_of(result, ours, "wall")
        link = f"[{result['benchmark']}: {result['title']}](#{_anchor(result)})"
        rows.append(
            (link, f"{max(mine):,} {result['unit']}", f"**{ours}**", _time(mine[max(mine)]), "", "", "")
        )
        for name in [name for name in roles if name != ours]:
            theirs = points_of(result, name, "wall")
            size = max(theirs)
            ratios = (_ratio(result, name, ours, size, one) for one in ("wall", "cpu", "inside_s"))
            label = f"{name} (limit)" if roles[name] == "limit" else name
            rows.append(("", f"{size:,} {result['unit']}", label, _time(theirs[size]), *ratios))
    return _table(("", "size", "", "seconds", "×", "× CPU", "× inside"), rows)


def _ratio(result: Result, name: str, ours: str, size: int, measure: str) -> str:
    """Theirs divided by ours, where both have this measure at this size."""
    theirs, mine = (points_of(result, one, measure).get(size) for one in (name, ours))
    return f"{theirs.median / mine.median:.2f}" if theirs and mine and mine.median and name != ours else ""


def _benchmark(name: str, results: Sequence[Result]) -> list[str]:
    first = results[0]
    facts = [f"Measures {first['measures']}.", f"- Data: {first['data']}.", f"- Limit: {first['limit']}."]
    if first["notes"]:
        facts.append(f"- {first['notes']}")
    return [f"## {name}\n", "\n".join(facts), *(part for result in results for part in _series(result))]


def _series(result: Result) -> list[str]:
    slug = _slug(result)
    light, dark = (f"plots/{slug}-{theme.name}.svg" for theme in THEMES)
    parts = [
        f"### {result['benchmark']}: {result['title']}\n",
        f"<picture><source media='(prefers-color-scheme: dark)' srcset='{dark}'>"
        f"<img src='{light}' alt='seconds and peak memory by {result['unit']}'></picture>\n",
    ]
    if result["goal"]:
        parts.append(f"Goal: {result['goal']}.\n")
    parts += [_costs(result), _growth(result)]
    notes = [*(f"**Noisy.** {said}." for said in noise_of(result)), *_left_out(result)]
    if notes:
        parts.append("\n".join(f"- {note}" for note in notes))
    return [*parts, _machine(result)]


def _costs(result: Result) -> str:
    roles = contenders_of(result)
    ours = next(iter(roles))
    figures = sorted(
        {name for size in result["sizes"] for t in size["contenders"].values() for name in t["figures"]}
    )
    rows = []
    for size in (size["size"] for size in result["sizes"]):
        for name in roles:
            points = {
                one: points_of(result, name, one).get(size)
                for one in ("wall", "cpu", "peak_mb", "read_mb", "written_mb", *figures)
            }
            wall = points["wall"]
            if wall is None:
                continue
            rows.append(
                (
                    f"{size:,}",
                    f"**{name}**" if roles[name] == "ours" else name,
                    _time(wall),
                    *(_ratio(result, name, ours, size, one) for one in ("wall", "cpu", "inside_s")),
                    *(_number(points[one]) for one in ("cpu", "peak_mb", "read_mb", "written_mb", *figures)),
                )
            )
    titles = (
        result["unit"],
        "",
        "seconds",
        "×",
        "× CPU",
        "× inside",
        "CPU s",
        "peak MB",
        "read MB",
        "written MB",
    )
    return _table(
        (*titles, *(name.replace("_s", " s").replace("_mb", " MB").replace("_", " ") for name in figures)),
        rows,
    )


def _growth(result: Result) -> str:
    """One line a contender: the slope in seconds and in memory, and what one more costs."""
    rows = []
    unit = str(result["unit"])
    for name in contenders_of(result):
        wall, memory = (growth_of(points_of(result, name, one)) for one in ("wall", "peak_mb"))
        if wall and memory:
            each = f"{wall.each * 1e6:,.3g} µs" if wall.each < 1e-3 else f"{wall.each * 1e3:,.3g} ms"
            rows.append((name, f"{wall.exponent:.2f}", f"{wall.last:.2f}", each, f"{memory.exponent:.2f}"))
    head = ("growth", "slope of seconds", "in the last step", f"for each of the {unit}", "slope of memory")
    return _table(head, rows) if rows else ""


def _left_out(result: Result) -> Iterable[str]:
    for peer, why in result["missing"].items():
        yield f"{peer} is not compared: it {why}."
    for size in result["sizes"]:
        for name, why in size["left_out"].items():
            yield f"{name} at {size['size']:,} {result['unit']}: {why}."
        for name, track in size["contenders"].items():
            if track["ended"]:
                yield f"{name} at {size['size']:,} {result['unit']}: {track['ended'].splitlines()[0]}."


def _machine(result: Result) -> str:
    machine = result["machine"]
    named = {**machine["packages"], **machine["servers"]}
    for versions in result["peers"].values():
        named |= {
            f"{name} (peer)" if name in named and named[name] != number else name: number
            for name, number in versions.items()
        }
    versions = ", ".join(f"{name} {number}" for name, number in named.items())
    system = f"{machine['processor']}, {machine['system']}, Python {machine['python']}"
    return (
        f"<details><summary>{result['measured_at'][:16].replace('T', ' ')} UTC, commit {result['commit']},"
        f" {machine['cores']} cores, {machine['memory_gb']} GB, load {machine['load'][0]}</summary>\n\n"
        f"{system}. {versions}.\n\n</details>\n"
    )


def _time(spread: Spread) -> str:
    if spread.runs == 1:
        return f"{_short(spread.median)} (one run)"
    return f"{_short(spread.median)} ({_short(spread.least)}–{_short(spread.most)})"


def _number(spread: Spread | None) -> str:
    return "" if spread is None else _short(spread.median)


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _slug(result: Result) -> str:
    return f"{result['benchmark']}-{result['series']}"


def _anchor(result: Result) -> str:
    """What GitHub makes of the heading."""
    heading = f"{result['benchmark']}: {result['title']}".lower()
    return "".join(char if char.isalnum() or char in "-_" else "-" * (char == " ") for char in heading)


if __name__ == "__main__":
    print(f"written: {write_report().relative_to(PAGE.parents[1])}")
