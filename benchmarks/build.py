"""Building models as tables: a thousand small ones, and ten that have work to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.program.place import Place, environ, osiris
from benchmarks.program.process import run_command
from benchmarks.program.shape import (
    Benchmark,
    BenchmarkError,
    Contender,
    Costs,
    Count,
    Figures,
    Goal,
    Series,
    exactly,
)
from benchmarks.projects.heavy import heavy_models
from benchmarks.projects.layered import layered_models
from benchmarks.projects.tools import (
    Models,
    forget,
    last_run,
    peers_of,
    run_ours,
    run_script,
    write_osiris,
    write_script,
)


def first_build(place: Place, models: Models) -> list[Contender]:
    """Everybody builds every model."""
    ours = write_osiris(place.subfolder("osiris"), models)
    script = write_script(place.subfolder("script"), models)
    return [
        run_ours(ours, before=lambda: forget(ours, ".osiris"), after=lambda: all_built(ours, len(models))),
        run_script(script),
        *map(starting_afresh, peers_of(place, models)),
    ]


def starting_afresh(peer: Contender) -> Contender:
    """dbt builds everything each time; SQLMesh has to forget what it built."""
    if peer.name.startswith("dbt"):
        return peer

    def before() -> None:
        if peer.before:
            peer.before()
        forget(peer.folder, "warehouse.duckdb")

    return replace(peer, before=before)


def all_built(root: Path, models: int) -> Figures:
    """Return the run's own seconds; raises if a model was not built."""
    result = last_run(root)
    built = sum(step["status"] == "success" for step in result["steps"])
    if built != models:
        raise BenchmarkError(f"{built} of {models} models were built")
    return {"inside_s": result["seconds"]}


def slower_than_script(cost: Costs) -> float:
    return cost("osiris-sql build", "inside_s") / cost("DuckDB script", "inside_s")


def counts(place: Place) -> list[Count]:
    """One model of sixty is edited so that its rows stay the same: only it runs."""
    root = write_osiris(place.subfolder("edited"), layered_models(60))
    run_command(osiris("build"), root, environ())
    first = last_run(root)["steps"]
    path = root / "models/m0.sql"
    path.write_text(path.read_text().replace("(a.v + b.v)", "(b.v + a.v)"))
    run_command(osiris("build"), root, environ())
    second = [step for step in last_run(root)["steps"] if step["status"] == "success"]
    return [
        exactly("models built by a first build", sum(step["status"] == "success" for step in first), 61),
        exactly("models built after an edit that changes no row", len(second), 1),
    ]


BENCHMARK = Benchmark(
    measures="a first build of all models as tables",
    data="small: 1,000 rows each in 12 layers, two parents each; heavy: ten models over one table of facts",
    limit="the same statements in one Python script of DuckDB, a transaction each",
    peers=("dbt", "sqlmesh"),
    notes="`inside` leaves out start-up, and parsing or compiling: the tool's own account of its run.",
    counts=counts,
    series=[
        Series(
            name="small",
            title="Small models",
            unit="models",
            sizes=(100, 1000, 10_000),
            quick=24,
            prepare=lambda place, size: first_build(place, layered_models(size)),
            rounds=3,
            goals=[
                Goal(
                    says="at 1,000 models the run, without compiling, within 1.3 × of the script",
                    found=slower_than_script,
                    at_most=1.3,
                    size=1000,
                    reason="the script takes a few milliseconds for a model of 1,000 rows; beside it ours"
                    " writes down what was built of what, and tells each step.",
                )
            ],
        ),
        Series(
            name="heavy",
            title="Ten heavy models",
            unit="rows",
            sizes=(100_000, 1_000_000, 10_000_000, 30_000_000),
            quick=10_000,
            prepare=lambda place, size: first_build(place, heavy_models(size)),
            rounds=3,
            goals=[
                Goal(
                    says="at 10,000,000 rows the run, without compiling, within 1.05 × of the script",
                    found=slower_than_script,
                    at_most=1.05,
                    size=10_000_000,
                    reason="opening the warehouse, writing the plan down and fingerprints take about 0.2 s of"
                    " the four and a half; with three times the rows they weigh less.",
                )
            ],
        ),
    ],
)
