"""What the numbers of several runs and sizes say: medians, spreads, noise, and how cost grows."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

QUIET_CORES = 0.3  # more than this at work before a size began: somebody else was measured too
QUIET_SPREAD = 0.35  # of the median, from the least to the most
SHORT = 0.1  # seconds below which a spread says nothing


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The runs of one contender at one size, in one measure."""

    median: float
    least: float
    most: float
    runs: int

    @property
    def wide(self) -> bool:
        return self.most > SHORT and (self.most - self.least) > QUIET_SPREAD * self.median


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Cost is about size to the power of `exponent`; `each` is what one more costs, from end to end.

    What a start costs flattens the line over all sizes; `last` is the exponent between the two largest.
    """

    exponent: float
    last: float
    each: float


def spread_of(numbers: Sequence[float]) -> Spread:
    return Spread(median=statistics.median(numbers), least=min(numbers), most=max(numbers), runs=len(numbers))


def points_of(result: Mapping[str, Any], contender: str, measure: str) -> dict[int, Spread]:
    """Return by size what a contender cost, in a cost or in a figure of its own."""
    found = {}
    for size in result["sizes"]:
        track = size["contenders"].get(contender)
        numbers = track and (track["costs"] | track["figures"]).get(measure)
        if numbers:
            found[size["size"]] = spread_of(numbers)
    return found


def growth_of(points: Mapping[int, Spread]) -> Growth | None:
    """Return the slope of the line through the logarithms, by least squares; None for a single size."""
    if len(points) < 2 or any(point.median <= 0 for point in points.values()):
        return None
    sizes = [math.log(size) for size in points]
    costs = [math.log(point.median) for point in points.values()]
    middle = statistics.mean(sizes)
    weight = sum((size - middle) ** 2 for size in sizes)
    exponent = sum((size - middle) * cost for size, cost in zip(sizes, costs, strict=True)) / weight
    small, large = min(points), max(points)
    each = (points[large].median - points[small].median) / (large - small)
    last = (costs[-1] - costs[-2]) / (sizes[-1] - sizes[-2])
    return Growth(exponent=exponent, last=last, each=each)


def contenders_of(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the role of every contender that was measured: ours first, then limits, then peers."""
    roles: dict[str, str] = {}
    for size in result["sizes"]:
        roles |= {name: track["role"] for name, track in size["contenders"].items() if track["costs"]}
    return dict(sorted(roles.items(), key=lambda pair: ("ours", "limit", "peer").index(pair[1])))


def noise_of(result: Mapping[str, Any]) -> list[str]:
    """Say what makes the figures less than sure; empty after a quiet run."""
    said = []
    for size in result["sizes"]:
        label = f"{size['size']:,} {result['unit']}"
        if size["busy_cores_before"] > QUIET_CORES:
            said.append(f"{label}: other programs kept {size['busy_cores_before']:.1f} cores busy before it")
        wide = [
            name
            for name, track in size["contenders"].items()
            if track["costs"] and spread_of(track["costs"]["wall"]).wide
        ]
        if wide:
            said.append(f"{label}: the runs of {', '.join(wide)} lie far apart")
    return said
