"""Watermarks: by which column of which input an increment knows what is new."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.types.manifest import ColumnInput, CompiledModel, CompiledSource, Manifest
from osiris_sql.types.relation import RelationRef, TableSchema

_BY_TIME = ("DATE", "TIMESTAMP", "TIME")
_BY_NUMBER = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)


@dataclass(frozen=True, slots=True)
class Watermark:
    """A column of an input whose values grow as rows arrive."""

    relation: RelationRef
    column: str

    def __str__(self) -> str:
        return f"{self.relation}.{self.column}"


def find_watermark(manifest: Manifest, model: CompiledModel) -> Watermark | None:
    """Return the column by which the rows of a model came, or None if nothing tells.

    It is the input of the column that the increment asks of the model's own rows, as in
    `updated_at > (select max(updated_at) from this)`; else what sources.yml calls the watermark.
    """
    relations = {m.node: m.relation for m in manifest.models if m.config.materialized != "ephemeral"}
    relations |= {source.node: source.relation for source in manifest.sources}
    for name in _asked_of_itself(manifest, model):
        inputs = next((line.inputs for line in model.lineage if line.column == name), None)
        if inputs and len(inputs) == 1 and inputs[0].node in relations:
            return Watermark(relations[inputs[0].node], inputs[0].column)
    declared = [
        ColumnInput(node=source.node, column=source.table.extract.watermark)
        for source in manifest.sources
        if source.node in model.needs and source.table.extract.watermark
    ]
    return Watermark(relations[declared[0].node], declared[0].column) if declared else None


def _asked_of_itself(manifest: Manifest, model: CompiledModel) -> list[str]:
    """Return the columns that the increment reads of the model's own rows, times before numbers."""
    from osiris_sql.compile.columns import Binder
    from osiris_sql.compile.lineage import trace_columns
    from osiris_sql.compile.parse import parse_query

    nodes: list[CompiledSource | CompiledModel] = [*manifest.sources, *manifest.models]
    own = [n for n in nodes if n.node in model.needs or n.node == model.node]
    inputs = {(n.relation.schema.lower(), n.relation.name.lower()): (n.node, n.schema) for n in own}
    binder = Binder()
    try:
        query = parse_query(model.increment_sql or "", binder)
    finally:
        binder.close()
    read = trace_columns(query.sql, query.tree, inputs, model.schema).reads.get(model.node) or ()
    return sorted(
        (name for name in read if _rank(model.schema, name) < 2), key=lambda n: _rank(model.schema, n)
    )


def _rank(schema: TableSchema, name: str) -> int:
    type_name = schema.type_of(name) or ""
    if type_name.startswith(_BY_TIME):
        return 0
    return 1 if type_name in _BY_NUMBER else 2
