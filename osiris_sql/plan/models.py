"""Models as steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from osiris_sql.plan import schema_change, why
from osiris_sql.plan.batches import Backfill, plan_batches
from osiris_sql.plan.clock import clock_value
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.noun import noun
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import Materialize, PlannedTest, Step


@noun
class Asked:
    """What somebody asked of a build."""

    run_clock: datetime
    full_refresh: bool = False
    backfill: Backfill | None = None


def materialize_step(
    model: CompiledModel,
    observed: Observed,
    tests: tuple[PlannedTest, ...],
    inputs: tuple[str, ...],
    steps: Mapping[str, Step],
    asked: Asked,
) -> Materialize:
    """Return the step of a model that reads `inputs`; `steps` are those above it, by node."""
    config, state, full_refresh = model.config, observed.state.get(model.node), asked.full_refresh
    clock = clock_value(asked.run_clock, model.clock) if model.clock else None
    batches = None
    if model.batches:
        ordinary = plan_batches(model.batches, state, asked.run_clock, None)
        clock = f"{clock} {ordinary.end}" if clock else ordinary.end
        batches = ordinary
        if asked.backfill:
            batches = plan_batches(model.batches, state, asked.run_clock, asked.backfill)
    running = [n for n in inputs if n in steps and steps[n].decision != "reuse"]
    foretold = why.materialize(model, observed, inputs, running, clock, full_refresh=full_refresh)
    if batches:
        foretold = why.in_batches(foretold, model, observed, batches, full_refresh=full_refresh)
    decision, reason = foretold
    materialized = config.materialized
    return Materialize(
        id=f"materialize.{model.name}",
        node=model.node,
        decision=decision,
        why=reason,
        relation=model.relation,
        materialized=materialized if materialized != "ephemeral" else "view",
        sql=model.sql,
        increment_sql=model.increment_sql,
        strategy=config.incremental_strategy,
        unique_key=config.unique_key,
        snapshot=model.snapshot,
        batches=batches,
        full_refresh=schema_change.refreshes(model, full_refresh=full_refresh),
        continues=schema_change.continues_from(model, observed, full_refresh=full_refresh),
        inputs=inputs,
        reuse_if=state.inputs if state and state.fingerprint == model.fingerprint else None,
        clock=clock,
        schema=model.schema,
        tests=tests,
        fingerprint=model.fingerprint,
        location=model.location,
    )
