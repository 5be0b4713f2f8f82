"""Rows of a source table on their way into the warehouse: guarded, and their policies applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from osiris_sql.protocols import ArrowRows, Rows, TableRead, Transaction
from osiris_sql.run.steps.running import Running
from osiris_sql.sources._exact import canonical_type, text_fits
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.event import StepProgress
from osiris_sql.types.noun import Json
from osiris_sql.types.plan import Extract
from osiris_sql.types.relation import Column, RelationRef, quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How many rows came and how, and how many values of each column with a policy were none of its type."""

    rows: int
    observed: Mapping[str, Json] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()
    invalid: Mapping[str, int] = field(default_factory=dict)


def load_table(running: Running, transaction: Transaction, step: Extract, since: str | None) -> Loaded:
    """Read a table in full, or from `since` on and merged by key, and return what came."""
    merge_key = None if since is None else step.key
    if not step.policies:
        return read_rows(running, transaction, step, step.relation, step.columns, since, merge_key=merge_key)
    raw, staged = raw_columns(step), staging(step)
    loaded = read_rows(running, transaction, step, staged, raw, since)
    invalid = _count_invalid(running, transaction, step, staged)
    sql, clock = _settled(step, staged), running.plan.run_clock
    if merge_key is None:
        rows = transaction.replace_table(step.relation, sql, clock)
    else:
        rows = transaction.insert_query(step.relation, sql, clock, "merge", merge_key)
    transaction.drop(staged)
    return replace(loaded, rows=rows, invalid=invalid)


def read_rows(
    running: Running,
    transaction: Transaction,
    step: Extract,
    relation: RelationRef,
    columns: tuple[Column, ...],
    since: str | None,
    *,
    merge_key: tuple[str, ...] | None = None,
) -> Loaded:
    """Read columns of the step's table, as of the run's one instant, into a relation."""
    snapshot, lock = running.connections.snapshot(step.connection)
    request = TableRead(
        node=step.node,
        identifier=step.identifier,
        columns=columns,
        watermark=step.watermark if since is not None else None,
        since=since,
        where=step.where,
        filters=step.filters,
    )

    def progress(rows: int, size: int) -> None:
        running.emit(StepProgress(step=step.id, rows=rows, bytes=size))

    with lock:
        rows = snapshot.read(request)
        guarded = _at_most(rows, step) if step.max_rows else rows
        count = transaction.load_rows(relation, columns, guarded, merge_key=merge_key, progress=progress)
        return Loaded(rows=count, observed=rows.observed, warnings=rows.warnings)


def staging(step: Extract) -> RelationRef:
    """Return where rows stand that are not yet what the table holds; only this transaction sees it."""
    return RelationRef(step.relation.schema, f"{step.relation.name} (arriving)")


def raw_columns(step: Extract) -> tuple[Column, ...]:
    """Return the columns as they are asked for: as text, where a policy decides what becomes of them."""
    settled = {policy.column for policy in step.policies}
    return tuple(replace(c, type="VARCHAR") if c.name in settled else c for c in step.columns)


def misfit(column: str, type_: str) -> str:
    """Return the condition that a column of text holds what is not exactly a value of the type."""
    name = quote_identifier(column)
    return f"{name} IS NOT NULL AND NOT {text_fits(name, canonical_type(type_))}"


def _count_invalid(
    running: Running, transaction: Transaction, step: Extract, staged: RelationRef
) -> dict[str, int]:
    counts = ", ".join(
        f"count(*) FILTER (WHERE {misfit(policy.column, policy.type)}) AS c{place}"
        for place, policy in enumerate(step.policies)
    )
    sql = f"SELECT {counts} FROM {staged.sql}"
    _, [found] = transaction.preview(sql, running.plan.run_clock, 1)
    return {policy.column: int(count) for policy, count in zip(step.policies, found, strict=True)}


def _settled(step: Extract, staged: RelationRef) -> str:
    """The query of the rows as the table holds them: what is none of its type is NULL, or stays text."""
    nulled = {policy.column for policy in step.policies if policy.action == "null"}
    return f"SELECT {', '.join(_value(c, nulled) for c in step.columns)} FROM {staged.sql}"


def _value(column: Column, nulled: set[str]) -> str:
    name = quote_identifier(column.name)
    if column.name not in nulled:
        return name
    fits = text_fits(name, canonical_type(column.type))
    return f"CASE WHEN {fits} THEN try_cast({name} AS {column.type}) END AS {name}"


def _at_most(rows: Rows, step: Extract) -> Rows:
    if isinstance(rows, ArrowRows):
        import pyarrow as pa  # only a source that yields Arrow needs it

        reader = pa.RecordBatchReader.from_batches(rows.batches.schema, _counted(rows.batches, step))
        return replace(rows, batches=reader)
    return replace(rows, batches=_counted(rows.batches, step))


def _counted(
    batches: Iterator[pa.RecordBatch] | pa.RecordBatchReader, step: Extract
) -> Iterator[pa.RecordBatch]:
    most, seen = step.max_rows or 0, 0
    for batch in batches:
        seen += batch.num_rows
        if seen > most:
            raise StepError(
                Diagnostic(
                    rule="too-many-rows",
                    message=f"{step.node.partition(':')[2]} has more than {most} rows to read",
                    location=step.location,
                    why="`max_rows` in sources.yml; the rows of the last run are kept",
                    fix="raise max_rows, or read less: extract: {mode: incremental}, or where:",
                )
            )
        yield batch
