"""Results are JSON, one file a series, committed; a size stays until it is measured again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.program.machine import machine_facts
from benchmarks.program.peers import Peers
from benchmarks.program.shape import Benchmark, Series

FOLDER = Path(__file__).parents[1] / "results"


def write_result(
    name: str, benchmark: Benchmark, series: Series, sizes: Mapping[int, dict[str, Any]], peers: Peers
) -> Path:
    """Write what a series gave, beside what is known of its other sizes, and return the file."""
    ran = [peers.found[peer] for peer in benchmark.peers if peer in peers.found]
    machine = machine_facts()
    versions = {peer.name: peer.versions for peer in ran}
    everything = {**known_sizes(name, series.name, machine, versions), **sizes}
    content = {
        "benchmark": name,
        "series": series.name,
        "title": series.title,
        "unit": series.unit,
        "machine": machine,
        "peers": versions,
        "missing": {peer: why for peer, why in peers.missing.items() if peer in benchmark.peers},
        "sizes": [{"size": size, **found} for size, found in sorted(everything.items())],
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}-{series.name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def known_sizes(
    name: str, series: str, machine: Mapping[str, object], peers: Mapping[str, object]
) -> dict[int, dict[str, Any]]:
    """Return what was measured of a series before, on such a machine with such versions, by size."""
    known = read_results().get((name, series))
    if not known or (known["machine"], known["peers"]) != (machine, peers):
        return {}
    return {size["size"]: size for size in known["sizes"]}


def read_results() -> dict[tuple[str, str], dict[str, Any]]:
    """Return every series that was measured, by the names of its benchmark and its own."""
    found = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return {(one["benchmark"], one["series"]): one for one in found}


def seconds_of(result: Mapping[str, Any]) -> float:
    """Return how long it took to measure a series, its data included."""
    return sum(float(size.get("took_s", 0)) for size in result["sizes"])
