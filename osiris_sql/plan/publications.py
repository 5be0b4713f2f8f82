"""Publications as steps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from osiris_sql.plan import why
from osiris_sql.support import wire
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import PlannedTest, Publish, Step
from osiris_sql.types.project import Publication


def publish_step(
    manifest: Manifest,
    publication: Publication,
    observed: Observed,
    steps: Mapping[str, Step],
    tests: tuple[PlannedTest, ...] = (),
) -> Publish:
    """Return the step of a publication; `steps` are those above it by node, `tests` those on what arrives."""
    model = next(m for m in manifest.models if m.name == publication.model)
    above = steps.get(model.node)
    runs = above is not None and above.decision != "reuse"
    decision, reason = why.publish(observed, publication.node, model.name, above_runs=runs)
    found = observed.targets.get(publication.node)
    foreseen = observed.foreseen.get(publication.connection)
    return Publish(
        id=f"publish.{publication.target}.{publication.table}",
        node=publication.node,
        decision=decision,
        why=reason,
        relation=model.relation,
        input=model.node,
        connection=publication.connection,
        target=publication.target,
        schema=publication.schema,
        table=publication.table,
        mode=publication.mode,
        key=publication.key or _model_key(publication, model),
        columns=model.schema.columns,
        create=publication.create,
        append_all=publication.append_all,
        series=_series(manifest, publication, model),
        max_deleted=publication.max_deleted,
        allow_empty=publication.allow_empty,
        on_schema_change=publication.on_schema_change,
        description=model.description,
        tests=tests,
        channel=found.channel if found else "",
        notes=found.notes if found else (foreseen,) if foreseen else (),
        warnings=tuple(d for d in found.diagnostics if d.severity == "warning") if found else (),
        ddl=found.ddl if found else (),
        fingerprint=publication_fingerprint(manifest, publication),
        location=publication.location,
    )


def _model_key(publication: Publication, model: CompiledModel) -> tuple[str, ...]:
    """An incremental model that merges by a key has one already, by which an append knows what is new."""
    config = model.config
    merges = config.materialized == "incremental" and config.incremental_strategy == "merge"
    new_only = publication.mode == "append" and not publication.append_all
    return config.unique_key if new_only and merges else ()


def _series(manifest: Manifest, publication: Publication, model: CompiledModel) -> str:
    """What names the loads of an append without a key, of a model that only ever adds rows to its table."""
    config, said = model.config, publication.key or publication.append_all
    adds = config.materialized == "incremental" and config.incremental_strategy == "append"
    # DuckDB tells the rows that were added by their rowid, which a column of that name hides.
    hidden = "rowid" in (name.lower() for name in model.schema.names)
    if publication.mode != "append" or said or not adds or hidden:
        return ""
    place = [manifest.project, manifest.env, publication.target, publication.schema, publication.table]
    return wire.digest(place)[:16]


def publication_fingerprint(manifest: Manifest, publication: Publication) -> str:
    """Return the identity of a publication: what it says, and the columns that it sends."""
    schemas = (model.schema for model in manifest.models if model.name == publication.model)
    said = {k: v for k, v in wire.to_data(publication).items() if k not in ("location", "tags")}
    columns = wire.to_data(next(schemas, None))
    return hashlib.sha256(wire.dump_canonical([said, columns]).encode()).hexdigest()
