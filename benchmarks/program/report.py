"""Writes benchmarks/RESULTS.md and its plots from the results: `python -m benchmarks.program.report`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.program.catalogue import discover
from benchmarks.program.goals import Verdict, judge
from benchmarks.program.growth import contenders_of, growth_of, noise_of, points_of
from benchmarks.program.markdown import anchor, bullets, seconds, short, table
from benchmarks.program.plot import THEMES, plot_series
from benchmarks.program.results import read_results, seconds_of
from benchmarks.program.shape import Benchmark, Series

PAGE = Path(__file__).parents[1] / "RESULTS.md"
PLOTS = PAGE.parent / "plots"
HEAD = """# What was measured

Made by `make bench-report` from the files in [results](results), measured by `make bench` as
[README.md](README.md) says. A number is the median of its runs, with the least and the most in brackets.
Ratios compare runs that took turns on one machine; compare nothing across machines. **×** is the seconds of
another divided by ours: above 1 ours is faster. **× CPU** compares processor seconds, which a busy machine
disturbs less, and **× inside** the tools' own account of a run, without start-up and compiling. The **limit**
is what nobody can beat who does that job. Who needs long for one run has only one, and none at larger sizes.
"""
COSTS = ("cpu", "peak_mb", "read_mb", "written_mb")
Result = Mapping[str, Any]


def write_report() -> Path:
    """Write the page and the plots of every result, and return the page."""
    benchmarks, results = discover(), read_results()
    PLOTS.mkdir(exist_ok=True)
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    parts = [
        HEAD,
        "## Goals\n",
        _goals(benchmarks, results),
        "## At a glance\n",
        _glance(benchmarks, results),
    ]
    for name, benchmark in benchmarks.items():
        parts += _benchmark(name, benchmark)
        for series in benchmark.series:
            if result := results.get((name, series.name)):
                parts += _series(name, series, result)
                _draw(result)
            else:
                parts += [f"### {_heading(name, series)}\n", "Not measured yet.\n"]
    PAGE.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts))
    return PAGE


def _draw(result: Result) -> None:
    for theme in THEMES:
        plot = plot_series(result, theme)
        (PLOTS / f"{result['benchmark']}-{result['series']}-{theme.name}.svg").write_text(plot)


def _goals(benchmarks: Mapping[str, Benchmark], results: Mapping[tuple[str, str], Result]) -> str:
    """One line a goal; why one is not reached stands with its series."""
    rows = []
    for name, benchmark in benchmarks.items():
        for series in benchmark.series:
            link = f"[{_heading(name, series)}](#{anchor(_heading(name, series))})"
            for goal in series.goals:
                verdict = judge(goal, results.get((name, series.name)))
                rows.append((link, goal.says, *_verdict(verdict, series)))
                link = ""
    return table(("", "goal", "measured", ""), rows)


def _verdict(verdict: Verdict, series: Series) -> tuple[str, str]:
    if verdict.found is None or verdict.size is None:
        return "", "not measured"
    found = f"{short(verdict.found)} {verdict.goal.unit} ({verdict.size:,} {series.unit})"
    return found, "reached" if verdict.reached else "**not reached**"


def _glance(benchmarks: Mapping[str, Benchmark], results: Mapping[tuple[str, str], Result]) -> str:
    """One line a contender, at the largest size at which it ran."""
    rows: list[Sequence[str]] = []
    everything = [(name, one) for name, benchmark in benchmarks.items() for one in benchmark.series]
    for name, series in everything:
        if not (result := results.get((name, series.name))):
            continue
        roles = contenders_of(result)
        ours = next(iter(roles))
        link = f"[{_heading(name, series)}](#{anchor(_heading(name, series))})"
        for who, role in roles.items():
            theirs = points_of(result, who, "wall")
            size = max(theirs)
            ratios = (_ratio(result, who, ours, size, one) for one in ("wall", "cpu", "inside_s"))
            label = {"ours": f"**{who}**", "limit": f"{who} (limit)"}.get(role, who)
            rows.append((link, f"{size:,} {series.unit}", label, seconds(theirs[size]), *ratios))
            link = ""
    return table(("", "size", "", "seconds", "×", "× CPU", "× inside"), rows)


def _ratio(result: Result, name: str, ours: str, size: int, measure: str) -> str:
    """Theirs divided by ours, where both have this measure at this size."""
    theirs, mine = (points_of(result, one, measure).get(size) for one in (name, ours))
    return f"{theirs.median / mine.median:.2f}" if theirs and mine and mine.median and name != ours else ""


def _benchmark(name: str, benchmark: Benchmark) -> Iterator[str]:
    yield f"## {name}\n"
    facts = [f"Data: {benchmark.data}.", f"Limit: {benchmark.limit}."]
    noted = [benchmark.notes] if benchmark.notes else []
    yield f"Measures {benchmark.measures}.\n\n" + bullets([*facts, *noted])


def _series(name: str, series: Series, result: Result) -> Iterator[str]:
    yield f"### {_heading(name, series)}\n"
    light, dark = (f"plots/{name}-{series.name}-{theme.name}.svg" for theme in THEMES)
    yield (
        f"<picture><source media='(prefers-color-scheme: dark)' srcset='{dark}'>"
        f"<img src='{light}' alt='seconds and peak memory by {series.unit}'></picture>\n"
    )
    for goal in series.goals:
        found, word = _verdict(judge(goal, result), series)
        why = f" Why not: {goal.reason}" if "not reached" in word else ""
        yield f"Goal: {goal.says}. {f'Measured: {found}: ' if found else ''}{word}.{why}\n"
    yield _costs(result)
    yield _growth(result)
    yield bullets([*(f"**Noisy.** {said}." for said in noise_of(result)), *_left_out(result)])
    yield _measured(result)


def _costs(result: Result) -> str:
    roles = contenders_of(result)
    ours = next(iter(roles))
    tracks = [track for size in result["sizes"] for track in size["contenders"].values()]
    figures = sorted({name for track in tracks for name in track["figures"]})
    rows = []
    for size in (size["size"] for size in result["sizes"]):
        for name in roles:
            wall = points_of(result, name, "wall").get(size)
            if wall is None:
                continue
            label = f"**{name}**" if roles[name] == "ours" else name
            ratios = (_ratio(result, name, ours, size, one) for one in ("wall", "cpu", "inside_s"))
            found = (points_of(result, name, one).get(size) for one in (*COSTS, *figures))
            rest = (short(spread.median) if spread else "" for spread in found)
            rows.append((f"{size:,}", label, seconds(wall), *ratios, *rest))
    head = (result["unit"], "", "seconds", "×", "× CPU", "× inside")
    named = ("CPU s", "peak MB", "read MB", "written MB")
    own = (name.replace("_s", " s").replace("_mb", " MB").replace("_", " ") for name in figures)
    return table((*head, *named, *own), rows)


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
    return table(head, rows) if rows else ""


def _left_out(result: Result) -> Iterable[str]:
    if len({size["commit"] for size in result["sizes"]}) > 1:
        yield "**Mixed.** Its sizes were measured on several commits: not only size tells them apart."
    for peer, why in result["missing"].items():
        yield f"{peer} is not compared: it {why}."
    for size in result["sizes"]:
        for name, why in size["left_out"].items():
            yield f"{name} at {size['size']:,} {result['unit']}: {why}."
        for name, track in size["contenders"].items():
            if track["ended"]:
                yield f"{name} at {size['size']:,} {result['unit']}: {track['ended'].splitlines()[0]}."


def _measured(result: Result) -> str:
    """When, on which commit and machine, under which load, and how long it took."""
    machine = result["machine"]
    named = {**machine["packages"], **machine["servers"]}
    for peer in result["peers"].values():
        named |= {
            f"{name} (peer)" if name in named and named[name] != number else name: number
            for name, number in peer.items()
        }
    versions = ", ".join(f"{name} {number}" for name, number in named.items())
    rows = [
        (f"{size['size']:,}", *(str(size.get(name, "")) for name in ("commit", "load_before", "took_s")))
        for size in result["sizes"]
    ]
    times = [size["measured_at"][:16].replace("T", " ") for size in result["sizes"]]
    whens = [(*row[:1], when, *row[1:]) for row, when in zip(rows, times, strict=True)]
    commits = " and ".join(dict.fromkeys(size["commit"] for size in result["sizes"]))
    load = max(float(size["load_before"]) for size in result["sizes"])
    system = f"{machine['processor']}, {machine['system']}, Python {machine['python']}"
    return (
        f"<details><summary>{max(times)} UTC, commit {commits}, {machine['cores']} cores,"
        f" {machine['memory_gb']} GB, load before it up to {load}, took {seconds_of(result):.0f} s"
        f"</summary>\n\n{table((result['unit'], 'begun (UTC)', 'commit', 'load before', 'seconds'), whens)}\n"
        f"{system}. {versions}.\n\n</details>\n"
    )


def _heading(name: str, series: Series) -> str:
    return f"{name}: {series.title}"


if __name__ == "__main__":
    print(f"written: {write_report().relative_to(PAGE.parents[1])}")
