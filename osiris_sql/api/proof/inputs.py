"""What a model reads, down to relations that stand in the warehouse."""

from __future__ import annotations

from collections.abc import Sequence

from osiris_sql.api.proof.stage import Stage
from osiris_sql.types.manifest import CompiledModel, CompiledSource, Manifest
from osiris_sql.types.relation import RelationRef, quote_identifier


def inputs_of(manifest: Manifest, model: CompiledModel) -> dict[RelationRef, str]:
    """Return the relations that a model reads, with their nodes; ephemeral models are read through."""
    models = {m.node: m for m in manifest.models}
    sources = {source.node: source for source in manifest.sources}
    found: dict[RelationRef, str] = {}
    for node in model.needs:
        if node in sources:
            found[sources[node].relation] = node
        elif models[node].config.materialized == "ephemeral":
            found |= inputs_of(manifest, models[node])
        else:
            found[models[node].relation] = node
    return found


def relations_of(manifest: Manifest, models: Sequence[CompiledModel]) -> dict[RelationRef, str]:
    """Return all relations that some models read, and the incremental ones among them themselves."""
    found: dict[RelationRef, str] = {}
    for model in models:
        found |= inputs_of(manifest, model)
        if model.increment_sql is not None:
            found[model.relation] = model.node
    return found


def broken_keys(stage: Stage, manifest: Manifest, model: CompiledModel) -> str:
    """Return which keys that were promised for the sources of a model do not hold, or nothing."""
    needed = inputs_of(manifest, model)
    broken = [
        f"{source.node.partition(':')[2]} ({', '.join(key)})"
        for source in manifest.sources
        if source.relation in needed
        for key in _promised(source)
        if not _holds(stage, source.relation, key)
    ]
    return f"the key that was declared does not hold: {'; '.join(broken)}" if broken else ""


def _promised(source: CompiledSource) -> list[tuple[str, ...]]:
    keys = [source.schema.key, source.table.extract.key if source.table.extract.mode == "incremental" else ()]
    return [key for key in dict.fromkeys(keys) if key]


def _holds(stage: Stage, relation: RelationRef, key: tuple[str, ...]) -> bool:
    columns = {name.lower() for name in stage.schema_of(stage.copy_of(relation)).names}
    if not columns.issuperset(name.lower() for name in key):
        return True  # the column was not extracted, because nobody uses it
    names = ", ".join(map(quote_identifier, key))
    sql = (
        f"SELECT count(*) FROM (SELECT 1 FROM {stage.copy_of(relation)} GROUP BY {names} HAVING count(*) > 1)"
    )
    [(repeated,)] = stage.cursor.execute(sql).fetchall()
    return not repeated
