"""Reads a source table into the warehouse, in one transaction with its tests and its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from osiris_sql.run.connections import hash_endpoint
from osiris_sql.run.steps.deleted import drop_deleted
from osiris_sql.run.steps.drift import compare_rows, compare_schema, foresee_rows
from osiris_sql.run.steps.invalid import explain_invalid
from osiris_sql.run.steps.loading import Loaded, load_table
from osiris_sql.run.steps.running import Running
from osiris_sql.run.steps.tests import run_tests
from osiris_sql.run.steps.watermark import move_back
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.event import StepFinished
from osiris_sql.types.noun import Json
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Extract


def run_extract(running: Running, step: Extract) -> StepFinished:
    """Return what was read; an unchanged source is not read again."""
    before = running.state.get(step.node)
    endpoint = hash_endpoint(running.connections.source(step.connection).endpoint())
    asked = step.decision == "run"
    if before and not asked and _unchanged(step, before, endpoint) and _stands(running, step):
        return _reuse(running, step, before)
    warnings = compare_schema(running, step) + foresee_rows(running, step, before)
    since = _since(step, before, endpoint)
    try:
        return _extract(running, step, before, endpoint, since, warnings)
    except StepError as error:
        explained = explain_invalid(running, step, since, error)
        raise StepError(*explained.diagnostics, *warnings) from error


def _extract(
    running: Running,
    step: Extract,
    before: StepState | None,
    endpoint: str,
    since: str | None,
    warnings: tuple[Diagnostic, ...],
) -> StepFinished:
    with running.engine.transaction() as transaction:
        merge = since is not None and transaction.is_table(step.relation)
        loaded = load_table(running, transaction, step, since if merge else None)
        deleted = drop_deleted(running, transaction, step) if merge and step.scan_deletes else 0
        _refuse_moved(running, step)
        data = transaction.fingerprint(step.relation)
        running.data[step.node] = str(data)
        passed = run_tests(running, transaction, step.id, step.tests, {})
        mark = transaction.maximum(step.relation, step.watermark) if step.watermark else None
        schema = transaction.schema_of(step.relation)
        state = StepState(
            step=step.node,
            fingerprint=step.fingerprint,
            data=data,
            schema=schema,
            change=step.change,
            watermark=mark,
            endpoint=endpoint,
            filters=step.filters,
            passed=passed,
            run_id=running.run_id,
        )
        transaction.write_state(state)
    running.state[step.node] = state
    return StepFinished(
        step=step.id,
        status="success",
        why=step.why,
        rows_in=loaded.rows,
        rows_out=data.rows,
        data=data,
        facts=_facts(step, loaded, deleted, incremental=merge),
        observed=loaded.observed,
        diagnostics=(
            *warnings,
            *loaded.warnings,
            *(compare_rows(step, before, data.rows) if not _told(warnings, "rows-vanished") else ()),
            *_touched(step, loaded),
        ),
    )


def _told(diagnostics: Iterable[Diagnostic], rule: str) -> bool:
    return any(diagnostic.rule == rule for diagnostic in diagnostics)


def _facts(step: Extract, loaded: Loaded, deleted: int, *, incremental: bool) -> dict[str, Json]:
    facts: dict[str, Json] = {"incremental": incremental}
    if step.policies:
        facts["invalid"] = dict(loaded.invalid)
    if step.scan_deletes:
        facts["deleted"] = deleted
    return facts


def _touched(step: Extract, loaded: Loaded) -> Iterator[Diagnostic]:
    """Say what the policies did: a value is never changed silently."""
    for policy in step.policies:
        if count := loaded.invalid[policy.column]:
            became = "became NULL" if policy.action == "null" else "arrived as text"
            yield Diagnostic(
                rule="invalid-value",
                severity="warning",
                message=f"column {policy.column} of {step.node.partition(':')[2]}: {count}"
                f" {'value' if count == 1 else 'values'} {became}",
                location=step.location,
                why=f"not exactly of type {policy.type}; on_invalid: {policy.action} allows it",
            )


def _unchanged(step: Extract, before: StepState, endpoint: str) -> bool:
    same = before.fingerprint == step.fingerprint and before.endpoint == endpoint and _holds(before, step)
    return same and step.change is not None and before.change == step.change


def _stands(running: Running, step: Extract) -> bool:
    """Whether its rows are there, or were left on another machine because nobody reads them."""
    if step.node in running.plan.left:
        return True
    with running.engine.transaction() as transaction:
        return transaction.exists(step.relation)


def _holds(before: StepState, step: Extract) -> bool:
    """Whether the rows there have every column that is wanted now."""
    there = {(c.name, c.type) for c in before.schema.columns} if before.schema else set()
    return all((c.name, c.type) in there for c in step.columns)


def _reuse(running: Running, step: Extract, before: StepState) -> StepFinished:
    running.data[step.node] = str(before.data)
    with running.engine.transaction() as transaction:
        passed = run_tests(running, transaction, step.id, step.tests, before.passed)
        if passed != before.passed:
            transaction.write_state(replace(before, passed=passed))
    rows = before.data.rows if before.data else None
    return StepFinished(
        step=step.id, status="reused", why="the source did not change", rows_out=rows, data=before.data
    )


def _since(step: Extract, before: StepState | None, endpoint: str) -> str | None:
    """The watermark to read from, moved back by the lookback; None reads the table in full."""
    if step.mode != "incremental" or not before or before.watermark is None:
        return None
    if before.fingerprint != step.fingerprint or before.endpoint != endpoint:
        return None
    there = [(c.name, c.type) for c in before.schema.columns] if before.schema else []
    if there != [(c.name, c.type) for c in step.columns]:
        return None
    type_ = next(c.type for c in step.columns if c.name == step.watermark)
    return move_back(before.watermark, type_, step.lookback)


def _refuse_moved(running: Running, step: Extract) -> None:
    """Files are named and hashed in the plan; what was read must be what was planned."""
    if not step.files:
        return
    source = running.connections.source(step.connection)
    [now] = source.probe_change({step.node: step.identifier})
    if dict(now.files) != dict(step.files):
        raise StepError(
            Diagnostic(
                rule="source-moved",
                message=f"the files of {step.node.partition(':')[2]} changed after they were planned",
                location=step.location,
                why=f"planned: {', '.join(step.files)}",
                fix="run the build again when nobody writes them",
            )
        )
