"""Runs one size of a series: all contenders once to warm up, then in turn, A B A B, round after round."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.program.machine import busy_cores
from benchmarks.program.process import Cost, run_command
from benchmarks.program.shape import BenchmarkError, Contender

MB = 1_000_000


@dataclass(kw_only=True)
class Track:
    """What one contender cost, a number for each run; `ended` says why there are fewer runs, or none."""

    role: str
    costs: dict[str, list[float]] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=dict)
    ended: str = ""

    def add(self, cost: Cost, figures: dict[str, float]) -> None:
        measured = {
            "wall": cost.wall,
            "cpu": cost.cpu,
            "peak_mb": cost.peak_bytes / MB,
            "read_mb": cost.read_bytes / MB,
            "written_mb": cost.written_bytes / MB,
        }
        for into, values in ((self.costs, measured), (self.figures, figures)):
            for name, value in values.items():
                into.setdefault(name, []).append(round(value, 4))


def run_size(contenders: Sequence[Contender], rounds: int, patience: float) -> dict[str, Any]:
    """Return what each contender cost, and how busy the machine was with other things before."""
    busy = busy_cores()
    tracks = {one.name: Track(role=one.role) for one in contenders}
    for number in range(rounds + 1 if rounds > 1 else 1):
        warming = number == 0 and rounds > 1
        for one in contenders:
            track = tracks[one.name]
            if not track.ended:
                _run_once(one, track, warming=warming, patience=patience)
    return {"busy_cores_before": round(busy, 2), "contenders": {n: vars(t) for n, t in tracks.items()}}


def _run_once(one: Contender, track: Track, *, warming: bool, patience: float) -> None:
    try:
        if one.before:
            one.before()
        cost = run_command(one.command, one.folder, one.environ)
        figures = dict(one.after()) if one.after else {}
    except BenchmarkError as error:
        if one.role == "ours":
            raise
        track.ended = f"failed: {str(error)[-400:]}"
        print(f"    {one.name} {track.ended}", file=sys.stderr, flush=True)
        return
    print(f"    {one.name:<34} {cost.wall:8.2f} s{'  (warm-up)' if warming else ''}", flush=True)
    if cost.wall > patience:
        track.ended = f"one run only: it takes longer than {patience:.0f} s"
    if not warming or track.ended:
        track.add(cost, figures)
