"""Why a step runs or is reused, in words; the run decides by comparing data, this only foretells."""

from __future__ import annotations

from collections.abc import Sequence

from osiris_sql.plan import schema_change
from osiris_sql.plan.batches import describe_batches
from osiris_sql.plan.row_filters import holds
from osiris_sql.types.batches import Batches
from osiris_sql.types.manifest import CompiledModel, CompiledSource
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import Decision

Foretold = tuple[Decision, str]


def extract(source: CompiledSource, observed: Observed, *, full_refresh: bool) -> Foretold:
    """Return what is likely to happen to a source table, and why."""
    state = observed.state.get(source.node)
    found = observed.sources.get(source.node)
    if full_refresh:
        return "run", "full refresh asked for"
    if state is None:
        return "run", "never extracted"
    anew = "; read in full" if source.table.extract.mode == "incremental" else ""
    if state.filters != source.filters:
        more = "fewer" if holds(state.filters, source.filters) else "more"
        return "run", f"{more} of its rows are used{anew}"
    if state.fingerprint != source.fingerprint:
        return "run", "its columns or its configuration changed"
    there = {c.name for c in state.schema.columns} if state.schema else set(source.used)
    if missing := sorted(set(source.used) - there):
        return "run", f"more columns are used: {', '.join(missing)}{anew}"
    if found is None and observed.offline:
        return "run if inputs change", "undecided: offline, the source was not asked"
    if found is None or found.change is None:
        if anew and there != set(source.used):
            return "run", f"fewer columns are used{anew}"
        if anew and state.watermark is not None:
            return "run", f"new rows since {source.table.extract.watermark} = {state.watermark}"
        if source.table.extract.probe == "always":
            return "run", "read in every build: probe: always"
        return "run", "whether its rows changed can't be told without reading them"
    if found.change != state.change:
        return "run", "new rows"
    probe = source.table.extract.probe
    return "reuse", f"probe: {probe} did not change" if probe else "its files did not change"


def materialize(
    model: CompiledModel,
    observed: Observed,
    inputs: Sequence[str],
    running: Sequence[str],
    clock: str | None,
    *,
    full_refresh: bool,
) -> Foretold:
    """Return what is likely to happen to a model, and why; `running` are inputs that may change."""
    state = observed.state.get(model.node)
    if schema_change.refreshes(model, full_refresh=full_refresh):
        return "run", "full refresh asked for"
    if state is None:
        return "run", "never built"
    if state.fingerprint != model.fingerprint:
        return "run", _definition(model, observed, full_refresh=full_refresh)
    if state.clock != clock:
        return "run", "the clock moved"
    if set(state.inputs) != set(inputs):
        return "run", "it reads other relations"
    if running:
        return "run if inputs change", f"waits for {', '.join(n.partition(':')[2] for n in running)}"
    stale = [n for n in inputs if _data(observed, n) != state.inputs[n]]
    if stale:
        return "run", f"upstream changed: {', '.join(n.partition(':')[2] for n in stale)}"
    return "reuse", "same SQL, same rows"


def in_batches(
    foretold: Foretold, model: CompiledModel, observed: Observed, batches: Batches, *, full_refresh: bool
) -> Foretold:
    """Return what is likely to happen to a model that is built in batches, and which of them."""
    decision, reason = foretold
    state = observed.state.get(model.node)
    kept = state and state.fingerprint == model.fingerprint
    anew = schema_change.refreshes(model, full_refresh=full_refresh) or not (
        kept or schema_change.continues_from(model, observed, full_refresh=full_refresh)
    )
    said = describe_batches(batches, all_of_them=anew)
    if batches.asked:
        return "run", f"asked for: {said}"
    return decision, reason if decision == "reuse" else f"{reason}; {said}"


def _definition(model: CompiledModel, observed: Observed, *, full_refresh: bool) -> str:
    """What a changed definition means; only an incremental model has rows to keep."""
    kept = schema_change.continues_from(model, observed, full_refresh=full_refresh)
    columns = schema_change.describe_change(model, observed)
    words = f"columns changed: {columns}" if columns else "SQL or configuration changed"
    if kept:
        return f"{words}; its rows are kept"
    return f"{words}; built again from its beginning" if model.config.materialized == "incremental" else words


def publish(observed: Observed, node: str, model: str, *, above_runs: bool) -> Foretold:
    """Return what is likely to happen to a publication, and why."""
    state = observed.state.get(node)
    target = observed.targets.get(node)
    if state is None:
        return "run", "never published from here"
    if target is None and observed.offline:
        return "run if inputs change", "undecided: offline, the target was not asked"
    if target is not None and target.latest_load != state.change:
        return "run", "the target holds another publication"
    if target is not None and target.ddl:
        return "run", "the target's table is changed"
    if above_runs:
        return "run if inputs change", f"waits for {model}"
    if _data(observed, f"model:{model}") != str(state.data):
        return "run if inputs change", "a no-op if the rows are those already published"
    return "reuse", "already published"


def _data(observed: Observed, node: str) -> str | None:
    state = observed.state.get(node) or (observed.elsewhere and observed.elsewhere.state.get(node))
    return str(state.data) if state and state.data else None
