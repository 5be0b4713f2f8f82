"""Results are JSON, one file a series, committed; the page is made from them alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.program.machine import commit, machine_facts
from benchmarks.program.peers import Peers
from benchmarks.program.shape import Benchmark, Series

FOLDER = Path(__file__).parents[1] / "results"


def write_result(
    name: str, benchmark: Benchmark, series: Series, sizes: Mapping[int, dict[str, Any]], peers: Peers
) -> Path:
    """Write what a series gave, and return the file."""
    ran = [peers.found[peer] for peer in benchmark.peers if peer in peers.found]
    content = {
        "benchmark": name,
        "series": series.name,
        "title": series.title,
        "unit": series.unit,
        "goal": series.goal,
        "measures": benchmark.measures,
        "data": benchmark.data,
        "limit": benchmark.limit,
        "notes": benchmark.notes,
        "commit": commit(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine_facts(),
        "peers": {peer.name: peer.versions for peer in ran},
        "missing": {peer: why for peer, why in peers.missing.items() if peer in benchmark.peers},
        "sizes": [{"size": size, **found} for size, found in sizes.items()],
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}-{series.name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def read_results(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """Return every series that was measured, by name."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
