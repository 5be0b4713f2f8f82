"""What becomes of rows that are kept, in incremental models and snapshots, when a definition changes: decided
before anything runs."""

from __future__ import annotations

from collections.abc import Iterable

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.observed import Observed, StepState
from osiris_sql.types.relation import TableSchema

KEEPS_ROWS = ("incremental", "snapshot")
Change = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def refusals(models: Iterable[CompiledModel], observed: Observed, *, full_refresh: bool) -> list[Diagnostic]:
    """Return a diagnostic for each model whose columns changed in a way that it does not allow."""
    found = []
    for model in models:
        state = _changed_state(model, observed)
        if state is None or rebuilds(model, full_refresh=full_refresh):
            found += _lost_history(model, observed)
        elif not _allows(model, compare_columns(state.schema, model.schema)):
            found.append(_refusal(model, compare_columns(state.schema, model.schema)))
    return found


def continues_from(model: CompiledModel, observed: Observed, *, full_refresh: bool) -> str | None:
    """Return the fingerprint of the older definition whose rows are kept, or None: nothing is kept then.

    Rows are kept where the columns changed and the model says append or sync, and where it must never
    be rebuilt (`full_refresh: false`, a snapshot). Any other change builds it again from its beginning.
    """
    state = _changed_state(model, observed)
    if state is None or rebuilds(model, full_refresh=full_refresh):
        return None
    never_rebuilt = model.config.full_refresh is False or model.config.materialized == "snapshot"
    changed = any(compare_columns(state.schema, model.schema))
    return state.fingerprint if changed or never_rebuilt else None


def describe_change(model: CompiledModel, observed: Observed) -> str:
    """Return the columns that came, went and changed their type, in words."""
    state = observed.state.get(model.node)
    if state is None or state.schema is None:
        return ""
    return _in_words(compare_columns(state.schema, model.schema))


def compare_columns(before: TableSchema | None, after: TableSchema) -> Change:
    """Return what was added, removed and retyped."""
    old = {c.name.lower(): c for c in before.columns} if before else {}
    new = {c.name.lower(): c for c in after.columns}
    return (
        tuple(f"{c.name} {c.type}" for key, c in new.items() if key not in old),
        tuple(c.name for key, c in old.items() if key not in new),
        tuple(
            f"{c.name} {old[key].type} → {c.type}"
            for key, c in new.items()
            if key in old and old[key].type != c.type
        ),
    )


def columns_that_changed(before: TableSchema, after: TableSchema) -> Change:
    """Return the names, in lower case, of the columns that came, went and changed their type."""
    old = {c.name.lower(): c.type for c in before.columns}
    new = {c.name.lower(): c.type for c in after.columns}
    return (
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        tuple(name for name in new if name in old and old[name] != new[name]),
    )


def rebuilds(model: CompiledModel, *, full_refresh: bool) -> bool:
    """Say whether any change of a model builds it again from its beginning."""
    if model.config.full_refresh is False or model.config.materialized == "snapshot":
        return False
    return refreshes(model, full_refresh=full_refresh) or model.config.on_schema_change == "rebuild"


def refreshes(model: CompiledModel, *, full_refresh: bool) -> bool:
    """Say whether a model is built from its beginning, for the run or the model asks for it; the history
    of a snapshot never is."""
    if model.config.materialized == "snapshot":
        return False
    return full_refresh if model.config.full_refresh is None else model.config.full_refresh


def _changed_state(model: CompiledModel, observed: Observed) -> StepState | None:
    state = observed.state.get(model.node)
    if state is None or state.fingerprint == model.fingerprint or state.materialized not in KEEPS_ROWS:
        return None
    return state if model.config.materialized == state.materialized else None


def _lost_history(model: CompiledModel, observed: Observed) -> list[Diagnostic]:
    state = observed.state.get(model.node)
    if state is None or state.materialized != "snapshot" or model.config.materialized == "snapshot":
        return []
    return [
        Diagnostic(
            rule="history-would-be-lost",
            message=f"{model.name} was a snapshot and would become a {model.config.materialized}",
            location=model.location,
            why="the versions that it keeps are nowhere else",
            fix=f"give the model another name, or drop the history: osiris-sql clean --relation {model.name}",
        )
    ]


def _allows(model: CompiledModel, change: Change) -> bool:
    added, removed, retyped = change
    mode = model.config.on_schema_change
    return mode == "sync" or not (removed or retyped or (added and mode != "append"))


def _in_words(change: Change) -> str:
    marks = zip("+-~", change, strict=True)
    return ", ".join(f"{mark} {column}" for mark, columns in marks for column in columns)


def _refusal(model: CompiledModel, change: Change) -> Diagnostic:
    if model.snapshot:
        return _history_refusal(model, change)
    kept = "it says full_refresh: false, so its rows can't be built again"
    why = f"on_schema_change is {model.config.on_schema_change}"
    return Diagnostic(
        rule="columns-changed",
        message=f"the columns of the incremental model {model.name} changed: {_in_words(change)}",
        location=model.location,
        why=f"{why}; {kept}" if model.config.full_refresh is False else why,
        fix="config(on_schema_change='append'|'sync'|'rebuild'), or build it once with --full-refresh",
    )


def _history_refusal(model: CompiledModel, change: Change) -> Diagnostic:
    return Diagnostic(
        rule="columns-changed",
        message=f"the columns of the snapshot {model.name} changed: {_in_words(change)}",
        location=model.location,
        why=f"on_schema_change is {model.config.on_schema_change}, and the history holds the old ones",
        fix="keep a column that went as NULL::TYPE AS name, and the type of one that changed by a cast; or "
        "config(on_schema_change='sync') drops and casts them in the history too",
    )
