"""Microbatch models: the rows of all batches, one by one, must be those of one batch of all their time."""

from __future__ import annotations

from osiris_sql.api.proof.compare import compare_tables
from osiris_sql.api.proof.findings import IncrementProof
from osiris_sql.api.proof.stage import Stage
from osiris_sql.engines.duckdb.run_clock import bind_instants
from osiris_sql.plan.batches import plan_batches
from osiris_sql.support.calendar_grid import read_instant, stretches
from osiris_sql.types.manifest import BatchSpec, CompiledModel

MOST = 100
"""Batches that are made one by one: the last ones, if there are more."""


def prove_batches(
    stage: Stage, model: CompiledModel, spec: BatchSpec, run_clock: str, suspects: list[str]
) -> IncrementProof:
    """Return whether a model's batches together hold the rows of a full rebuild."""
    planned = plan_batches(spec, None, read_instant(run_clock), None)
    whole = list(stretches(read_instant(planned.begin), read_instant(planned.end), spec.size))
    parts = whole[-MOST:]
    full, one_by_one = stage.result("all time"), stage.result("one by one")

    def query(start: str, end: str) -> str:
        return bind_instants(model.sql, {"run_clock": run_clock, "batch_start": start, "batch_end": end})

    with stage.open_trial():
        first, last = parts[0][0].isoformat(), parts[-1][1].isoformat()
        stage.cursor.execute(f"CREATE OR REPLACE TABLE {full} AS\n{query(first, last)}")
        stage.cursor.execute(f"CREATE OR REPLACE TABLE {one_by_one} AS FROM {full} LIMIT 0")
        for start, end in parts:
            stage.cursor.execute(f"INSERT INTO {one_by_one}\n{query(start.isoformat(), end.isoformat())}")
    latest = "the last " if len(parts) < len(whole) else ""
    how = f"{latest}{len(parts)} batches of {spec.size}s one by one, against one of all their time"
    moved = compare_tables(stage.cursor, how, full, one_by_one, stage.schema_of(full), suspects)
    return IncrementProof(status="differs" if moved else "same", how=how, moved=moved)
