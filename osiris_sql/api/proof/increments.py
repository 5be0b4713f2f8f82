"""Incremental models: rows that came bit by bit must be those of a full rebuild, on the real rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from osiris_sql.api.proof.batches import prove_batches
from osiris_sql.api.proof.compare import compare_tables
from osiris_sql.api.proof.findings import IncrementProof, Moved
from osiris_sql.api.proof.inputs import inputs_of
from osiris_sql.api.proof.stage import Stage
from osiris_sql.api.proof.watermarks import Watermark, find_watermark
from osiris_sql.engines.duckdb.run_clock import bind_run_clock
from osiris_sql.types.diagnostic import OsirisError
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import RelationRef, quote_identifier

PARTS = (0.4, 0.75)
"""Where the rows of a replay are cut: the first build sees the first part, then two increments come."""


@dataclass(frozen=True, slots=True)
class _Subject:
    stage: Stage
    model: CompiledModel
    run_clock: str
    full: str

    def compare(self, table: str, how: str) -> IncrementProof:
        """Return whether a table holds the rows of the full build."""
        from osiris_sql.api.proof.prove import suspects

        schema = self.stage.schema_of(self.full)
        moved: Moved | None = compare_tables(
            self.stage.cursor, how, self.full, table, schema, suspects(self.model)
        )
        return IncrementProof(status="differs" if moved else "same", how=how, moved=moved)


def prove_increments(
    stage: Stage, manifest: Manifest, model: CompiledModel, state: Mapping[str, StepState], run_clock: str
) -> tuple[IncrementProof, ...]:
    """Return two proofs for an incremental model: its history replayed, and its table as it stands.

    The replay builds it from the first rows of one input, by the watermark that it filters by, and then
    adds the others in two increments. The table as it stands gets one increment if its inputs went on.
    """
    if model.snapshot is not None:
        how = "not replayed: a snapshot keeps what no rebuild finds again"
        return (IncrementProof(status="skipped", how=how),)
    if (spec := model.batches) is not None:
        from osiris_sql.api.proof.prove import suspects

        return (_safely(lambda: prove_batches(stage, model, spec, run_clock, suspects(model))),)
    subject = _Subject(stage, model, run_clock, stage.result(f"first {model.name}"))
    proofs: list[Callable[[], IncrementProof]] = [
        lambda: _replay(subject, manifest),
        lambda: _as_it_stands(subject, manifest, state),
    ]
    return tuple(_safely(proof) for proof in proofs)


def _safely(proof: Callable[[], IncrementProof]) -> IncrementProof:
    import duckdb

    from osiris_sql.engines.duckdb.failure import clean_message

    try:
        return proof()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        return IncrementProof(status="failed", how=clean_message(error))
    except OsirisError as error:
        found = "; ".join(f"{d.message} ({d.why})" if d.why else d.message for d in error.diagnostics)
        return IncrementProof(status="failed", how=found)


# --------------------------------------------------------------------------------------------- replay


def _replay(subject: _Subject, manifest: Manifest) -> IncrementProof:
    mark = find_watermark(manifest, subject.model)
    if mark is None:
        how = "not replayed: no column says which rows of an input came first"
        return IncrementProof(status="skipped", how=how)
    cuts = _cuts(subject, mark)
    if not cuts:
        return IncrementProof(status="skipped", how=f"not replayed: {mark} has one value, or none")
    for step, cut in enumerate([*cuts, None]):
        _run_step(subject, mark, cut, first=step == 0)
    how = f"replayed by {mark}, cut at {', '.join(cuts)}"
    return subject.compare(subject.stage.result("replayed"), how)


def _cuts(subject: _Subject, mark: Watermark) -> list[str]:
    """Return values of a watermark that have rows after them."""
    column = quote_identifier(mark.column)
    copy = subject.stage.copy_of(mark.relation)
    parts = ", ".join(f"quantile_disc({column}, {part})::VARCHAR" for part in PARTS)
    sql = f"SELECT {parts}, max({column})::VARCHAR FROM {copy}"
    *cuts, last = subject.stage.cursor.execute(sql).fetchall()[0]
    return [cut for cut in dict.fromkeys(cuts) if cut is not None and cut != last]


def _run_step(subject: _Subject, mark: Watermark, cut: str | None, *, first: bool) -> None:
    """Build or increment the model as if the rows after a cut had not come yet."""
    stage, kept = subject.stage, subject.stage.result("replayed")
    column = quote_identifier(mark.column)
    literal = "" if cut is None else "'{}'".format(cut.replace("'", "''"))
    condition = f"({column} <= {literal} OR {column} IS NULL)" if cut is not None else "true"
    with stage.open_trial(filters={mark.relation: condition}):
        if first:
            sql = bind_run_clock(subject.model.sql, subject.run_clock)
            stage.cursor.execute(f"CREATE OR REPLACE TABLE {kept} AS\n{sql}")
        else:
            _increment(subject, kept)


def _increment(subject: _Subject, kept: str) -> None:
    """Put a table in the place of the model, run its increment as a build does, and keep the result."""
    from osiris_sql.engines.duckdb.transaction import DuckDBTransaction

    model, cursor = subject.model, subject.stage.cursor
    cursor.execute(f"CREATE OR REPLACE TABLE {model.relation.sql} AS FROM {kept}")
    DuckDBTransaction(cursor).insert_query(
        model.relation,
        model.increment_sql or "",
        subject.run_clock,
        model.config.incremental_strategy,
        model.config.unique_key,
    )
    cursor.execute(f"CREATE OR REPLACE TABLE {kept} AS FROM {model.relation.sql}")


# ---------------------------------------------------------------------------------------- as it stands


def _as_it_stands(subject: _Subject, manifest: Manifest, state: Mapping[str, StepState]) -> IncrementProof:
    why = _why_not(subject, manifest, state)
    if why:
        return IncrementProof(status="skipped", how=f"its table was not compared: {why}")
    model, stage = subject.model, subject.stage
    went_on = [node for node in model.needs if _now(state, node) != state[model.node].inputs.get(node)]
    if not went_on:
        return subject.compare(stage.copy_of(model.relation), "the table as it stands")
    kept = stage.result("kept")
    stage.cursor.execute(f"CREATE OR REPLACE TABLE {kept} AS FROM {stage.copy_of(model.relation)}")
    with stage.open_trial():
        _increment(subject, kept)
    return subject.compare(kept, "the table as it stands, after one increment")


def _why_not(subject: _Subject, manifest: Manifest, state: Mapping[str, StepState]) -> str:
    model, stage = subject.model, subject.stage
    before = state.get(model.node)
    if before is None or model.relation not in stage.inputs:
        return "it was not built yet"
    if before.fingerprint != model.fingerprint:
        return "it was built by other SQL, so the next build starts it again"
    if model.clock is not None:
        return "it reads the clock, which was another one then"
    used: list[RelationRef] = [model.relation, *inputs_of(manifest, model)]
    parts = [stage.inputs[r] for r in used if stage.inputs[r].taken < stage.inputs[r].there]
    if parts:
        names = ", ".join(part.node.partition(":")[2] for part in parts)
        return f"only a part of the rows of {names} was taken; --rows 0 takes all"
    return ""


def _now(state: Mapping[str, StepState], node: str) -> str | None:
    known = state.get(node)
    return str(known.data) if known and known.data else None
