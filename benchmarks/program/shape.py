"""What a benchmark is made of. A benchmark file has one name that counts: `BENCHMARK`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from benchmarks.program.place import Place

Role = Literal["ours", "peer", "limit"]
Figures = Mapping[str, float]


class BenchmarkError(Exception):
    """A command failed, or its result is wrong: there is nothing to time."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One command that does the job; it is timed from its start to its end.

    `before` runs ahead of each run and is not timed: it makes every run begin alike. `after` looks whether
    the result is right (raising BenchmarkError) and returns figures to show beside the measured ones.
    """

    name: str
    role: Role
    command: Sequence[str | Path]
    folder: Path
    environ: Mapping[str, str]
    before: Callable[[], None] | None = None
    after: Callable[[], Figures] | None = None


class Costs(Protocol):
    """Returns a contender's median: seconds, or another measure; at the size in question, or at another."""

    def __call__(self, contender: str, measure: str = "wall", size: int | None = None) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a series is to reach: a number that `found` makes of costs, and its bounds.

    Without a `size` it is to hold at every size, and the worst is shown. `reason` is why it does not hold;
    the page shows it only then.
    """

    says: str
    found: Callable[[Costs], float]
    at_least: float = -math.inf
    at_most: float = math.inf
    size: int | None = None
    unit: str = "×"
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Series:
    """The same job at several sizes. `prepare` makes the data of one size and returns who does the job.

    `quick` is the size of `make bench-quick`. Who takes longer than `patience` seconds runs once at that
    size; a peer then runs at no larger one.
    """

    name: str
    title: str
    unit: str
    sizes: Sequence[int]
    quick: int
    prepare: Callable[[Place, int], Sequence[Contender]]
    rounds: int = 5
    patience: float = 30.0
    goals: Sequence[Goal] = ()

    def __post_init__(self) -> None:
        if len(self.sizes) < 3 or sorted(self.sizes) != list(self.sizes):
            raise ValueError(f"{self.name}: growth needs three sizes or more, in rising order")


@dataclass(frozen=True, kw_only=True)
class Count:
    """A number that is the same on every machine, and what it may be."""

    name: str
    found: int
    at_most: int
    at_least: int = 0

    @property
    def holds(self) -> bool:
        return self.at_least <= self.found <= self.at_most

    @property
    def allowed(self) -> str:
        least, most = f"{self.at_least:,}", f"{self.at_most:,}"
        return most if least == most else f"{least} to {most}"


def exactly(name: str, found: int, expected: int) -> Count:
    """Return a count that may have one value only."""
    return Count(name=name, found=found, at_most=expected, at_least=expected)


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What one file measures. `counts` is asked by `make bench-quick`, which fails if one does not hold."""

    measures: str
    data: str
    limit: str
    series: Sequence[Series]
    peers: Sequence[str] = ()
    counts: Callable[[Place], Sequence[Count]] | None = None
    notes: str = field(default="")
