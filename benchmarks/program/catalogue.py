"""The benchmarks of this folder: each file with a `BENCHMARK`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.program.shape import Benchmark, Series

HERE = Path(__file__).parents[1]


def discover() -> dict[str, Benchmark]:
    """Return the benchmarks by their files' names."""
    names = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("__"))
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module.BENCHMARK for name, module in modules.items()}


def chosen(benchmarks: Mapping[str, Benchmark], names: Sequence[str]) -> dict[str, list[Series]]:
    """Return the series that the names ask for; all of them without a name."""
    found: dict[str, list[Series]] = {}
    for asked in names or benchmarks:
        name, _, series = asked.partition(".")
        if name not in benchmarks:
            raise SystemExit(f"no benchmark is called {name}; there are: {', '.join(benchmarks)}")
        known = {one.name: one for one in benchmarks[name].series}
        if series and series not in known:
            raise SystemExit(f"{name} has no series {series}; it has: {', '.join(known)}")
        found.setdefault(name, []).extend([known[series]] if series else known.values())
    return found
