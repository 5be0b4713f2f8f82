"""The verb: models run in every trial, and what differs is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from osiris_sql.api.planning import read_run_clock
from osiris_sql.api.proof.compare import compare_tables
from osiris_sql.api.proof.findings import ModelProof
from osiris_sql.api.proof.increments import prove_increments
from osiris_sql.api.proof.inputs import broken_keys, inputs_of, relations_of
from osiris_sql.api.proof.stage import Stage
from osiris_sql.api.proof.trials import AS_BUILT, TRIALS, Trial
from osiris_sql.engines.duckdb.run_clock import bind_instants
from osiris_sql.plan.selection import select_nodes
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.observe import read_state
from osiris_sql.support.interrupts import run_interruptibly
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.observed import StepState

ROWS = 500_000
"""The most rows of an input that are taken where nothing else is said."""

Notify = Callable[[str], None]


def prove_models(
    manifest: Manifest,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    as_of: str | None = None,
    rows: int = ROWS,
    notify: Notify = lambda _: None,
) -> tuple[ModelProof, ...]:
    """Return what became of each selected model when it ran again, in build order.

    Rows are those of the warehouse, `rows` of each relation at most (0: all). The warehouse is read, and
    never written. Raises StepError if there is none, UnreachableError while a run holds it.
    """
    run_clock = read_run_clock(as_of).isoformat()
    warehouse = Path(manifest.root) / manifest.warehouse
    if not warehouse.exists():
        raise StepError(
            Diagnostic(
                rule="input-not-built",
                message=f"there is no warehouse {manifest.warehouse}",
                why="models run again on the rows that it holds",
                fix="run `osiris-sql build` first",
            )
        )
    chosen = set(select_nodes(manifest, select, exclude))
    models = [m for m in manifest.models if m.node in chosen and m.config.materialized != "ephemeral"]
    with tempfile.TemporaryDirectory(prefix="osiris-verify-") as folder:
        stage = Stage(manifest, Path(folder))
        try:
            state = read_state(warehouse, "duckdb", while_running=False)

            def prove() -> tuple[ModelProof, ...]:
                with hold_warehouse(warehouse, "verify"):
                    stage.copy_inputs(warehouse, relations_of(manifest, models), rows)
                return tuple(_prove_all(stage, manifest, models, state, run_clock, notify))

            return run_interruptibly(prove, stage.cursor.interrupt)
        finally:
            stage.close()


def _prove_all(
    stage: Stage,
    manifest: Manifest,
    models: Sequence[CompiledModel],
    state: Mapping[str, StepState],
    run_clock: str,
    notify: Notify,
) -> list[ModelProof]:
    proofs = {model.name: _begin(stage, manifest, model) for model in models}
    for trial in (AS_BUILT, *TRIALS):
        notify(trial.name)
        with stage.open_trial(trial):
            for model in models:
                if proofs[model.name].status == "same":
                    proofs[model.name] = _run(stage, model, trial, proofs[model.name], run_clock)
    for model in models:
        proof = proofs[model.name]
        if proof.status == "differs":
            proofs[model.name] = replace(proof, note=broken_keys(stage, manifest, model))
        elif proof.status == "same" and model.increment_sql is not None:
            notify(f"{model.name}: increments")
            found = prove_increments(stage, manifest, model, state, run_clock)
            proofs[model.name] = replace(proof, increments=found)
    return list(proofs.values())


def _begin(stage: Stage, manifest: Manifest, model: CompiledModel) -> ModelProof:
    reasons = tuple(reason for reason in model.reasons if reason.verdict != "proved") or model.reasons
    proof = ModelProof(model=model.name, verdict=model.verdict, status="same", reasons=reasons)
    needed = inputs_of(manifest, model)
    absent = sorted(
        node.partition(":")[2] for relation, node in needed.items() if relation not in stage.inputs
    )
    if absent:
        return replace(
            proof, status="skipped", note=f"{', '.join(absent)} is not in the warehouse: build it first"
        )
    return replace(proof, inputs=tuple(stage.inputs[relation] for relation in needed))


def _run(stage: Stage, model: CompiledModel, trial: Trial, proof: ModelProof, run_clock: str) -> ModelProof:
    """Run a model in a trial, and compare its rows with those of the first one."""
    import duckdb

    from osiris_sql.engines.duckdb.failure import clean_message

    first, again = stage.result(f"first {model.name}"), stage.result("again")
    table = first if trial is AS_BUILT else again
    try:
        stage.cursor.execute(f"CREATE OR REPLACE TABLE {table} AS\n{_bound(model.sql, run_clock)}")
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        return replace(proof, status="failed", note=f"{trial.name}: {clean_message(error)}")
    if trial is AS_BUILT:
        [(count,)] = stage.cursor.execute(f"SELECT count(*) FROM {table}").fetchall()
        return replace(proof, rows=count)
    moved = compare_tables(stage.cursor, trial.name, first, again, stage.schema_of(first), suspects(model))
    if moved is None:
        return replace(proof, trials=(*proof.trials, trial.name))
    return replace(proof, status="differs", moved=(*proof.moved, moved))


def _bound(sql: str, run_clock: str) -> str:
    """Return a query with its clock, and with all time in one batch."""
    whole = {"batch_start": "-infinity", "batch_end": "infinity"}
    return bind_instants(sql, {"run_clock": run_clock, **whole})


def suspects(model: CompiledModel) -> list[str]:
    """Return the columns of a model, those that are computed before those that are plain copies."""

    def is_copy(line: str) -> bool:
        inputs = next((each.inputs for each in model.lineage if each.column == line), None)
        return inputs is not None and len(inputs) == 1

    names = list(reversed(model.schema.names))
    return sorted(names, key=is_copy)
