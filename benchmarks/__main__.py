"""Run benchmarks: `python -m benchmarks [names] [--quick] [--rounds N] [--sizes N,N,…] [--everyone]`.

A name is a benchmark (`tests`) or one of its series (`tests.wide`). Results go to benchmarks/results; those
of `--quick` are not kept: it runs everything once, small, and asserts the counts that no machine changes.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.program.catalogue import chosen, discover
from benchmarks.program.machine import commit
from benchmarks.program.peers import Peers
from benchmarks.program.place import Place, Servers
from benchmarks.program.report import write_report
from benchmarks.program.results import read_results, seconds_of, write_result
from benchmarks.program.rounds import run_size
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Series

HERE = Path(__file__).parent


@contextmanager
def opened(peers: Peers, *, quick: bool) -> Iterator[Place]:
    """Open a place whose folders and servers go when it is left."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="osiris-bench-"))
        yield Place(folder=Path(folder), peers=peers, servers=Servers(stack=stack), quick=quick)


def measure(
    place: Place, series: Series, sizes: Sequence[int], rounds: int, known: Mapping[int, dict[str, Any]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what each size gave, as soon as it is there; a peer too slow at a smaller one is left out."""
    found = dict(known)
    for size in sizes:
        began = time.perf_counter()
        print(f"  {series.name}, {size:,} {series.unit}", flush=True)
        facts: dict[str, Any] = {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "load_before": round(os.getloadavg()[0], 2),
        }
        slow = too_slow(found, size, series.unit)
        with tempfile.TemporaryDirectory(dir=place.folder) as folder:
            here = Place(folder=Path(folder), peers=place.peers, servers=place.servers, quick=place.quick)
            everyone: Sequence[Contender] = series.prepare(here, size)
            costs = run_size([one for one in everyone if one.name not in slow], rounds, series.patience)
        left_out = {one.name: slow[one.name] for one in everyone if one.name in slow}
        found[size] = {
            **facts,
            "took_s": round(time.perf_counter() - began),
            **costs,
            "left_out": left_out,
        }
        yield size, found[size]


def too_slow(known: Mapping[int, dict[str, Any]], size: int, unit: str) -> dict[str, str]:
    """Return which peers took too long, or failed, at a smaller size."""
    slow: dict[str, str] = {}
    for smaller in sorted(one for one in known if one < size):
        for name, track in known[smaller]["contenders"].items():
            if track["ended"] and track["role"] == "peer":
                why = "took too long" if track["costs"] else "failed"
                slow.setdefault(name, f"not run: at {smaller:,} {unit} it {why}")
    return slow


def run_quick(name: str, benchmark: Benchmark, wanted: Sequence[Series], peers: Peers) -> list[str]:
    """Run a benchmark small and once; returns what is wrong."""
    wrong = []
    with opened(peers, quick=True) as place:
        for series in wanted:
            for _, found in measure(place, series, [series.quick], 1, {}):
                ended = {who: track["ended"] for who, track in found["contenders"].items()}
                failed = {who: why for who, why in ended.items() if why.startswith("failed")}
                wrong += [f"{name}.{series.name}: {who} {why}" for who, why in failed.items()]
        for count in benchmark.counts(place) if benchmark.counts else []:
            said = f"{count.name}: {count.found:,} (allowed: {count.allowed})"
            print(f"  {'ok   ' if count.holds else 'WRONG'} {said}", flush=True)
            if not count.holds:
                wrong.append(f"{name}: {said}")
    return wrong


def run_full(
    name: str, benchmark: Benchmark, series: Series, peers: Peers, asked: argparse.Namespace
) -> None:
    """Run a series and write its result, anew after each size: one that is stopped keeps what it has."""
    sizes = [int(size) for size in asked.sizes.split(",")] if asked.sizes else series.sizes
    result = read_results().get((name, series.name), {"sizes": []})
    before = [] if asked.everyone else result["sizes"]
    known = {one["size"]: one for one in before if one["size"] not in sizes}
    found: dict[int, dict[str, Any]] = {}
    with opened(peers, quick=False) as place:
        for size, one in measure(place, series, sizes, asked.rounds or series.rounds, known):
            found[size] = one
            path = write_result(name, benchmark, series, found, peers)
    print(f"  written: {path.relative_to(HERE.parent)}", flush=True)


def listed(benchmarks: Mapping[str, Benchmark], wanted: Mapping[str, Sequence[Series]]) -> Iterator[str]:
    """Yield a line for each benchmark and series, with its sizes."""
    for name, series in wanted.items():
        yield f"{name}: {benchmarks[name].measures}"
        for one in series:
            sizes = ", ".join(f"{size:,}" for size in one.sizes)
            yield f"  {f'{name}.{one.name}':<24} {one.title}; {sizes} {one.unit}"
    yield estimated(wanted)


def estimated(wanted: Mapping[str, Sequence[Series]]) -> str:
    """Say how long the series took when they were measured last."""
    results = read_results()
    known = [results.get((name, one.name)) for name, series in wanted.items() for one in series]
    minutes = sum(seconds_of(result) for result in known if result) / 60
    new = known.count(None)
    return f"{len(known)} series: {minutes:.0f} minutes, as long as last time" + f"; {new} are new" * bool(
        new
    )


def main() -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, help="instead of the series' own number")
    parser.add_argument("--sizes", help="instead of the series' own, comma-separated")
    parser.add_argument("--everyone", action="store_true", help="who was too slow at other sizes too")
    parser.add_argument("--list", action="store_true", help="only name the benchmarks and their series")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are stopped on the way out
    benchmarks = discover()
    peers, wrong = Peers(installs=not (asked.quick and os.environ.get("CI"))), []
    everything = chosen(benchmarks, asked.names)
    if asked.list:
        print("\n".join(listed(benchmarks, everything)))
        return 0
    if not asked.quick:
        print(estimated(everything), flush=True)
    for name, wanted in everything.items():
        print(f"{name}: {benchmarks[name].measures}", flush=True)
        began = time.perf_counter()
        try:
            if asked.quick:
                wrong += run_quick(name, benchmarks[name], wanted, peers)
            for series in () if asked.quick else wanted:
                run_full(name, benchmarks[name], series, peers, asked)
        except BenchmarkError as error:
            wrong.append(f"{name}: {error}")
        print(f"  {time.perf_counter() - began:.0f} s", flush=True)
    if not asked.quick:
        print(f"written: {write_report().relative_to(HERE.parent)}")
    for name, why in peers.missing.items():
        print(f"not compared with {name}: it {why}")
    print("\n".join(wrong), file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
