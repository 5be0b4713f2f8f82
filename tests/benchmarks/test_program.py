"""The program that measures: what it says of a process is true, and what it can't measure it names."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.program import results  # noqa: E402
from benchmarks.program.catalogue import discover  # noqa: E402
from benchmarks.program.goals import judge  # noqa: E402
from benchmarks.program.growth import growth_of, noise_of, spread_of  # noqa: E402
from benchmarks.program.peers import PINNED, Peers  # noqa: E402
from benchmarks.program.plot import THEMES, plot_series  # noqa: E402
from benchmarks.program.process import run_command  # noqa: E402
from benchmarks.program.rounds import run_size  # noqa: E402
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Count, Goal, Series, exactly  # noqa: E402

MB = 1_000_000


def python(code: str, tmp_path: Path, **more: object) -> Contender:
    command = [sys.executable, "-c", code]
    given = {"name": "one", "role": "peer", "command": command, "folder": tmp_path, "environ": {}}
    return Contender(**(given | more))


def test_memory_is_that_of_the_whole_process_tree(tmp_path: Path) -> None:
    hold = "import time; kept = bytearray(60_000_000); time.sleep(0.3)"
    start = f"import subprocess, sys; one = subprocess.Popen([sys.executable, '-c', {hold!r}])"
    both = f"{start}; {hold}; one.wait()"
    cost = run_command([sys.executable, "-c", both], tmp_path, {})
    assert 120 * MB < cost.peak_bytes < 200 * MB


def test_memory_of_who_measures_is_not_counted(tmp_path: Path) -> None:
    ballast = bytearray(150 * MB)
    cost = run_command([sys.executable, "-c", "import time; time.sleep(0.1)"], tmp_path, {})
    assert cost.peak_bytes < len(ballast) / 3


def test_bytes_and_processor_time_of_children_are_counted(tmp_path: Path) -> None:
    write = "open('out', 'wb').write(bytes(5_000_000)); open('out', 'rb').read(); sum(range(3_000_000))"
    both = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {write!r}], check=True)"
    cost = run_command([sys.executable, "-c", both], tmp_path, {})
    assert 5 * MB <= cost.written_bytes < 6 * MB
    assert cost.read_bytes >= 5 * MB
    assert cost.cpu > 0.01


def test_a_command_that_fails_is_an_error_that_shows_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"exit code 3(.|\n)*the reason"):
        run_command([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], tmp_path, {})


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"stopped after 0\.3 s"):
        run_command(["sh", "-c", "sleep 600; true"], tmp_path, {"PATH": os.defpath}, longest=0.3)


def test_contenders_take_turns_after_a_warm_up(tmp_path: Path) -> None:
    said: list[str] = []
    names = ("a", "b")
    both = [python("pass", tmp_path, name=name, before=lambda name=name: said.append(name)) for name in names]
    found = run_size(both, rounds=2, patience=60)["contenders"]
    assert said == ["a", "b"] * 3
    assert [len(found[name]["costs"]["wall"]) for name in names] == [2, 2]


def test_a_peer_that_fails_is_named_and_does_not_run_again(tmp_path: Path) -> None:
    runs: list[int] = []
    one = python("raise SystemExit('no such option')", tmp_path, before=lambda: runs.append(1))
    track = run_size([one], rounds=3, patience=60)["contenders"]["one"]
    assert len(runs) == 1
    assert not track["costs"]
    assert "no such option" in track["ended"]


def test_ours_may_not_fail(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError):
        run_size([python("raise SystemExit(1)", tmp_path, role="ours")], rounds=1, patience=60)


def test_a_wrong_result_is_a_failure(tmp_path: Path) -> None:
    def look() -> dict[str, float]:
        raise BenchmarkError("9 rows arrived, not 10")

    track = run_size([python("pass", tmp_path, after=look)], rounds=1, patience=60)["contenders"]["one"]
    assert "9 rows arrived" in track["ended"]


def test_who_loses_our_patience_runs_once(tmp_path: Path) -> None:
    track = run_size([python("pass", tmp_path)], rounds=5, patience=0)["contenders"]["one"]
    assert len(track["costs"]["wall"]) == 1
    assert "one run only" in track["ended"]


@pytest.mark.parametrize(("power", "factor"), [(0, 4.0), (1, 0.25), (2, 0.5)])
def test_the_slope_is_the_exponent_of_growth(power: int, factor: float) -> None:
    growth = growth_of({size: spread_of([factor * size**power]) for size in (10, 100, 1000)})
    assert growth is not None
    assert growth.exponent == pytest.approx(power, abs=1e-9)
    assert growth.last == pytest.approx(power, abs=1e-9)


@pytest.mark.parametrize(
    ("busy", "runs", "said"),
    [
        (0.0, [1.0, 1.1, 1.05], 0),
        (1.5, [1.0, 1.1, 1.05], 1),
        (0.0, [1.0, 2.0, 1.5], 1),
        (0.0, [0.01, 0.05], 0),
    ],
)
def test_a_noisy_run_says_so(busy: float, runs: list[float], said: int) -> None:
    size = {"size": 1, "busy_cores_before": busy, "contenders": {"one": {"costs": {"wall": runs}}}}
    assert len(noise_of({"unit": "rows", "sizes": [size]})) == said


@pytest.mark.parametrize(
    ("count", "holds"),
    [
        (exactly("n", 3, 3), True),
        (exactly("n", 2, 3), False),
        (Count(name="n", found=4, at_most=3), False),
        (Count(name="n", found=1, at_least=2, at_most=3), False),
    ],
)
def test_a_count_holds_or_not(count: Count, holds: bool) -> None:
    assert count.holds is holds


def measured(**seconds: list[float]) -> dict[str, object]:
    """Return a result of sizes 10, 100, …, at which each contender took so long."""
    sizes = [
        {"size": 10**place, "contenders": {who: {"costs": {"wall": [wall]}, "figures": {}}}}
        for who, walls in seconds.items()
        for place, wall in enumerate(walls, start=1)
    ]
    found: dict[int, dict] = {}
    for one in sizes:
        known = found.setdefault(one["size"], {"size": one["size"], "contenders": {}})
        known["contenders"] |= one["contenders"]
    return {"sizes": list(found.values())}


BESIDE = {"says": "twice as fast", "found": lambda cost: cost("theirs") / cost("ours")}


@pytest.mark.parametrize(
    ("goal", "found", "size", "reached"),
    [
        (Goal(**BESIDE, at_least=2, size=10), 3.0, 10, True),
        (Goal(**BESIDE, at_least=2, size=100), 1.5, 100, False),
        (Goal(**BESIDE, at_least=2), 1.5, 100, False),
        (Goal(**BESIDE, at_most=2), 3.0, 10, False),
        (Goal(**BESIDE, at_least=2, size=1000), None, None, None),
        (
            Goal(says="flat", found=lambda cost: cost("ours") / cost("ours", size=10), at_most=2),
            4.0,
            1000,
            False,
        ),
    ],
)
def test_a_goal_is_judged_by_the_worst_of_its_sizes(goal, found, size, reached) -> None:
    verdict = judge(goal, measured(ours=[1, 2, 4], theirs=[3, 3]))
    assert (verdict.found, verdict.size, verdict.reached) == (found, size, reached)


def test_a_goal_of_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    assert judge(Goal(**BESIDE, at_least=2), None).reached is None


GOALS = {
    f"{name}.{series.name}: {goal.says}": (goal, results.read_results().get((name, series.name)))
    for name, benchmark in discover().items()
    for series in benchmark.series
    for goal in series.goals
}


@pytest.mark.parametrize(("goal", "result"), GOALS.values(), ids=GOALS)
def test_a_goal_that_is_not_reached_says_why(goal: Goal, result) -> None:
    assert goal.at_least > 0 or goal.at_most < math.inf
    assert goal.reason or judge(goal, result).reached is not False


def test_a_size_stays_until_it_is_measured_again(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    series = Series(
        name="s", title="t", unit="rows", sizes=(1, 2, 3), quick=1, prepare=lambda place, size: []
    )
    benchmark = Benchmark(measures="m", data="d", limit="l", series=[series])
    for sizes in ({1: "first", 2: "first", 7: "odd"}, {2: "second"}):
        run = {size: {"commit": word} for size, word in sizes.items()}
        path = results.write_result("b", benchmark, series, run, Peers(installs=False))
    kept = {size["size"]: size["commit"] for size in json.loads(path.read_text())["sizes"]}
    assert kept == {1: "first", 2: "second", 7: "odd"}


@pytest.mark.parametrize("sizes", [(1, 2), (3, 2, 1)])
def test_growth_needs_three_rising_sizes(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="three sizes"):
        Series(name="s", title="t", unit="rows", sizes=sizes, quick=1, prepare=lambda place, size: [])


def test_a_peer_that_cannot_be_installed_is_named_with_the_reason(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.program.peers.FOLDER", tmp_path)
    monkeypatch.setitem(PINNED, "nobody", (f"nobody @ file://{tmp_path}/nobody.whl",))
    peers = Peers()
    assert peers.get("nobody") is None
    assert peers.missing["nobody"].startswith("could not be installed: ERROR")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "benchmarks/results").glob("*.json")), ids=lambda path: path.stem
)
@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_the_plot_of_each_result_is_drawn_from_it(path: Path, theme) -> None:
    drawn = plot_series(json.loads(path.read_text()), theme)
    ElementTree.fromstring(drawn)
    assert (ROOT / "benchmarks/plots" / f"{path.stem}-{theme.name}.svg").read_text() == drawn, (
        "make bench-report"
    )


def test_a_memory_that_nobody_saw_is_drawn_at_the_foot() -> None:
    """A process may end before it is looked at: `/bin/true` does."""
    result = json.loads((ROOT / "benchmarks/results/startup-words.json").read_text())
    first = next(iter(result["sizes"][0]["contenders"].values()))
    first["costs"]["peak_mb"][0] = 0.0
    ElementTree.fromstring(plot_series(result, THEMES[0]))


def test_each_benchmark_says_what_it_measures() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if not path.stem.startswith("__")}
    assert files <= {line.partition(":")[0] for line in run.stdout.splitlines()}
