"""Builds a model, in one transaction with its tests and its state."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from osiris_sql.protocols import Transaction
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
    with running.engine.transaction() as transaction:
        there = step.node in running.plan.left or transaction.exists(step.relation)
        reusable = there and _reusable(step, before, inputs)
        if before and reusable:
            return _reuse(running, transaction, step, before)
        increment = _increments(transaction, step, before)
        if increment and step.increment_sql is not None:
            if before and before.fingerprint == step.continues:
                transaction.reshape(step.relation, step.schema)
            added = transaction.insert_query(
                step.relation, step.increment_sql, running.plan.run_clock, step.strategy, step.unique_key
            )
        elif step.materialized == "view":
            transaction.replace_view(step.relation, step.sql, running.plan.run_clock)
            added = 0
        else:
            added = transaction.replace_table(step.relation, step.sql, running.plan.run_clock)
        schema = _same_schema(transaction, step)
        data = _identity(transaction, step, inputs)
        running.data[step.node] = str(data)
        passed = run_tests(running, transaction, step.id, step.tests, {})
        transaction.write_state(
            StepState(
                step=step.node,
                fingerprint=step.fingerprint,
                inputs=inputs,
                data=data,
                schema=schema,
                clock=step.clock,
                materialized=step.materialized,
                passed=passed,
                run_id=running.run_id,
            )
        )
    view = step.materialized == "view"
    return StepFinished(
        step=step.id,
        status="success",
        why=step.why,
        rows_in=added if increment else None,
        rows_out=None if view else data.rows,
        data=data,
        facts={"incremental": increment},
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


def _reusable(step: Materialize, before: StepState | None, inputs: dict[str, str]) -> bool:
    if before is None or step.full_refresh or before.fingerprint != step.fingerprint:
        return False
    return before.clock == step.clock and dict(before.inputs) == inputs


def _reuse(running: Running, transaction: Transaction, step: Materialize, before: StepState) -> StepFinished:
    running.data[step.node] = str(before.data)
    passed = run_tests(running, transaction, step.id, step.tests, before.passed)
    if passed != before.passed:
        transaction.write_state(replace(before, passed=passed))
    rows = before.data.rows if before.data and step.materialized != "view" else None
    return StepFinished(
        step=step.id, status="reused", why="same SQL, same rows", rows_out=rows, data=before.data
    )


def _increments(transaction: Transaction, step: Materialize, before: StepState | None) -> bool:
    if step.increment_sql is None or step.full_refresh or before is None:
        return False
    return before.fingerprint in (step.fingerprint, step.continues) and transaction.is_table(step.relation)


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
