"""The identity of a publication: the same one a second time is a no-op."""

import uuid

from osiris_sql.support import wire
from osiris_sql.types.plan import Plan, Publish
from osiris_sql.types.relation import DataFingerprint

_NAMESPACE = uuid.UUID("6f1d4b5e-9c43-5c1e-8a55-0d3a9f6f2a11")


def make_load_id(plan: Plan, step: Publish, data: DataFingerprint, base: str | None) -> str:
    """Return the load id of delivering `data`; the run is not part of it.

    `base` is the load before this one, for an append of all rows, where two equal batches are two
    batches; for the other modes the same rows are the same publication. One of a series says how far
    the model's rows have been delivered with it: what comes next is told by the ledger alone.
    """
    # The DuckDB version is left out: it can't be part of what the target remembers.
    if step.series:
        return f"{step.series}.{data.rows}.{data.digest}"
    parts = [plan.project, plan.env, step.target, step.schema, step.table, step.mode, list(step.key)]
    rows = [data.rows, data.digest, base if step.mode == "append" and step.append_all else None]
    return str(uuid.uuid5(_NAMESPACE, wire.dump_canonical([*parts, *rows])))


def delivered_with(load_id: str | None) -> DataFingerprint | None:
    """Return the rows that a model had when a load of a series was made, None of any other load."""
    series, _, position = (load_id or "").partition(".")
    rows, _, digest = position.partition(".")
    return DataFingerprint(rows=int(rows), digest=digest, algorithm=series) if digest else None
