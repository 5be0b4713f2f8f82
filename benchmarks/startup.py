"""How long a command takes to answer when there is nothing to do; what every other figure has in it."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.program.counting import executed
from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import (
    Benchmark,
    BenchmarkError,
    Contender,
    Count,
    Figures,
    Goal,
    Series,
    exactly,
)
from benchmarks.projects.layered import layered_models
from benchmarks.projects.tools import last_run, peers_of, primed, run_ours, write_osiris

WORDS = ("--version", "--help")


def words(place: Place, size: int) -> list[Contender]:
    """Commands that only print words; in a folder with `size` models that they must not read."""
    root = write_osiris(place.subfolder("project"), layered_models(size))
    ours = [
        Contender(name=word, role="ours", command=osiris(word), folder=root, environ=environ())
        for word in WORDS
    ]
    return [*ours, python_pass(root)]


def no_change(place: Place, size: int) -> list[Contender]:
    root = write_osiris(place.subfolder("project"), layered_models(size))
    run_command(osiris("build"), root, environ())
    ours = run_ours(root, after=lambda: nothing_ran(root, size + 1))
    peers = (
        primed(peer) if peer.name == "sqlmesh plan" else peer
        for peer in peers_of(place, layered_models(size))
    )
    return [ours, *peers, python_pass(root)]


def python_pass(root: Path) -> Contender:
    command = [sys.executable, "-c", "pass"]
    return Contender(
        name="python -c pass", role="limit", command=command, folder=root, environ=plain_environ()
    )


def nothing_ran(root: Path, models: int) -> Figures:
    """Return the run's own seconds; raises if anything but reuse happened."""
    result = last_run(root)
    reused = sum(step["status"] == "reused" for step in result["steps"])
    if reused < models:
        raise BenchmarkError(f"{reused} of {models} models were reused")
    return {"inside_s": result["seconds"]}


def counts(place: Place) -> list[Count]:
    """A second build makes nothing, and what it asks of DuckDB does not grow with the models."""
    asked = []
    for size in (20, 60):
        root = write_osiris(place.subfolder(f"counted-{size}"), layered_models(size))
        run_command(osiris("build"), root, environ())
        before = (root / ".osiris/dev.duckdb").read_bytes()
        statements = executed(place, root, "build")
        asked.append(sum(statement not in ("BEGIN", "COMMIT") for statement in statements))
        if before != (root / ".osiris/dev.duckdb").read_bytes():
            raise BenchmarkError("a no-change build changed the warehouse's file")
    made = [step for step in last_run(root)["steps"] if step["status"] != "reused"]
    return [
        exactly("steps of a no-change build that made something", len(made), 0),
        Count(name="statements of a no-change build, transactions left out", found=asked[0], at_most=30),
        exactly("how many more they are with three times as many models", asked[1] - asked[0], 0),
    ]


BENCHMARK = Benchmark(
    measures="start-up: words, and a build with nothing to do",
    data="a project of small models in 12 layers, built before",
    limit="`python -c pass`: nothing that is written in Python starts faster",
    peers=("dbt", "sqlmesh"),
    counts=counts,
    series=[
        Series(
            name="words",
            title="`--version` and `--help`",
            unit="models",
            sizes=(10, 100, 1000),
            quick=10,
            prepare=words,
            rounds=9,
        ),
        Series(
            name="no-change",
            title="A build with nothing to do",
            unit="models",
            sizes=(10, 100, 1000),
            quick=20,
            prepare=no_change,
            rounds=3,
            goals=[
                Goal(
                    says="under 1 second at 1,000 models",
                    found=lambda cost: cost("osiris-sql build"),
                    at_most=1.0,
                    size=1000,
                    unit="s",
                ),
                Goal(
                    says="20 × faster than dbt-duckdb at 1,000 models",
                    found=lambda cost: cost("dbt run") / cost("osiris-sql build"),
                    at_least=20,
                    size=1000,
                ),
                Goal(
                    says="20 × faster than SQLMesh at 1,000 models",
                    found=lambda cost: cost("sqlmesh plan") / cost("osiris-sql build"),
                    at_least=20,
                    size=1000,
                    reason="more than half of ours is start-up and imports, as of 10 models; SQLMesh, unlike"
                    " dbt, does not build again what is unchanged either.",
                ),
            ],
        ),
    ],
)
