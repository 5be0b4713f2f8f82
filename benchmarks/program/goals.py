"""Whether a goal is reached by what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.program.growth import points_of
from benchmarks.program.shape import Goal


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The number that counts and the size at which it was found; neither if nothing was measured."""

    goal: Goal
    found: float | None = None
    size: int | None = None

    @property
    def reached(self) -> bool | None:
        return None if self.found is None else self.goal.at_least <= self.found <= self.goal.at_most


def judge(goal: Goal, result: Mapping[str, Any] | None) -> Verdict:
    """Return what a result says of a goal; the worst of all sizes if the goal is for each."""
    if result is None:
        return Verdict(goal=goal)
    found: dict[int, float] = {}
    for at in [one["size"] for one in result["sizes"]]:
        if goal.size in (None, at):
            with suppress(KeyError):  # somebody did not run at this size
                found[at] = goal.found(partial(median_of, result, at))
    if not found:
        return Verdict(goal=goal)
    worst = (min if goal.at_least > -math.inf else max)(found, key=lambda size: found[size])
    return Verdict(goal=goal, found=found[worst], size=worst)


def median_of(
    result: Mapping[str, Any], at: int, contender: str, measure: str = "wall", size: int | None = None
) -> float:
    """Return the median of a contender's runs at this size, or at another; KeyError if there are none."""
    return points_of(result, contender, measure)[size or at].median
