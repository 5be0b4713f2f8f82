"""Builds a model, in one transaction with its tests and its state."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from osiris_sql.protocols import Transaction
from osiris_sql.run.steps.batches import build_batches, built_until
from osiris_sql.run.steps.rows import increments, write_rows
from osiris_sql.run.steps.running import Running
from osiris_sql.run.steps.tests import run_tests
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.event import StepFinished
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Materialize
from osiris_sql.types.relation import DataFingerprint, TableSchema


def run_materialize(running: Running, step: Materialize) -> StepFinished:
    """Return what was built; a model whose SQL and inputs are those of last time is not built again."""
    before = running.state.get(step.node)
    inputs = {node: _input(running, step, node) for node in step.inputs}
    if step.batches and not _stands_already(running, step, before, inputs):
        build_batches(running, step, step.batches, before, inputs)
    with running.engine.transaction() as transaction:
        if before and _stands(running, transaction, step, before, inputs):
            return _reuse(running, transaction, step, before)
        increment = increments(transaction, step, before)
        if increment and before and before.fingerprint == step.continues:
            transaction.reshape(step.relation, step.schema)
        wrote = write_rows(running, transaction, step, before, increment=increment)
        schema = _same_schema(transaction, step)
        data = _identity(transaction, step, inputs)
        running.data[step.node] = str(data)
        passed = run_tests(running, transaction, step.id, step.tests, {})
        state = StepState(
            step=step.node,
            fingerprint=step.fingerprint,
            inputs=inputs,
            data=data,
            schema=schema,
            watermark=built_until(step, before, increment=increment),
            clock=step.clock,
            materialized=step.materialized,
            passed=passed,
            run_id=running.run_id,
        )
        transaction.write_state(state)
    running.state[step.node] = state
    view = step.materialized == "view"
    return StepFinished(
        step=step.id,
        status="success",
        why=step.why,
        rows_in=wrote.rows if increment else None,
        rows_out=None if view else data.rows,
        data=data,
        facts={"incremental": increment, **wrote.facts},
    )


def _input(running: Running, step: Materialize, node: str) -> str:
    found = running.data.get(node)
    if found is None:
        raise StepError(
            Diagnostic(
                rule="input-not-built",
                message=f"{node.partition(':')[2]}, which this model reads, is not in the warehouse",
                location=step.location,
                fix=f'select it too: -s "+{step.node.partition(":")[2]}"',
            )
        )
    return found


def _stands_already(
    running: Running, step: Materialize, before: StepState | None, inputs: Mapping[str, str]
) -> bool:
    with running.engine.transaction() as transaction:
        return before is not None and _stands(running, transaction, step, before, inputs)


def _stands(
    running: Running,
    transaction: Transaction,
    step: Materialize,
    before: StepState,
    inputs: Mapping[str, str],
) -> bool:
    """Say whether the relation is what this step would build."""
    if step.full_refresh or before.fingerprint != step.fingerprint or (step.batches and step.batches.asked):
        return False
    if before.clock != step.clock or dict(before.inputs) != inputs:
        return False
    return step.node in running.plan.left or transaction.exists(step.relation)


def _reuse(running: Running, transaction: Transaction, step: Materialize, before: StepState) -> StepFinished:
    running.data[step.node] = str(before.data)
    passed = run_tests(running, transaction, step.id, step.tests, before.passed)
    if passed != before.passed:
        transaction.write_state(replace(before, passed=passed))
    rows = before.data.rows if before.data and step.materialized != "view" else None
    return StepFinished(
        step=step.id, status="reused", why="same SQL, same rows", rows_out=rows, data=before.data
    )


def _same_schema(transaction: Transaction, step: Materialize) -> TableSchema:
    """The compiler promised names and types; what was built must have them."""
    built = transaction.schema_of(step.relation) or TableSchema(columns=())
    found = [(c.name, c.type) for c in built.columns]
    promised = [(c.name, c.type) for c in step.schema.columns]
    if found != promised:
        raise StepError(
            Diagnostic(
                rule="schema-differs",
                message="the built columns are not the compiled ones",
                location=step.location,
                why=f"compiled {promised}, built {found}",
                fix="this is a bug in osiris-sql: please report it with the model's SQL",
            )
        )
    return built


def _identity(transaction: Transaction, step: Materialize, inputs: dict[str, str]) -> DataFingerprint:
    """A table is its rows. A view is its SQL over its inputs: telling its rows would compute it."""
    if step.materialized != "view":
        return transaction.fingerprint(step.relation)
    text = wire.dump_canonical([step.fingerprint, inputs, step.clock])
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return DataFingerprint(rows=0, digest=digest, algorithm="view")
