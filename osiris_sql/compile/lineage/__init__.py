"""Column lineage: where the values of a query come from, and which columns it reads at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from osiris_sql.compile.filters import read_filters
from osiris_sql.compile.lineage.facts import Col, Inputs, Relation, base_relation
from osiris_sql.compile.lineage.lost_names import lost_names
from osiris_sql.compile.lineage.walk import Walk
from osiris_sql.types.manifest import ColumnInput, ColumnLineage
from osiris_sql.types.relation import RowFilter, TableSchema


@dataclass(frozen=True, slots=True)
class Traced:
    """The value lineage of each output column, and every column that the query reads of each input.

    `reads` has None for an input that must be assumed to be read whole; `filters` the source tables of which
    the query sees only rows that pass the filter.
    """

    lineage: tuple[ColumnLineage, ...]
    reads: Mapping[str, tuple[str, ...] | None]
    filters: Mapping[str, RowFilter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Walked:
    """A query after its one walk: lineage reads it first, then determinism.

    `nodes` are all of its tree, outer ones first; `by_class` has them by their classes. `lost` are names of
    its text that its tree doesn't hold, None where the text can't be split up.
    """

    walk: Walk
    relation: Relation
    nodes: Sequence[exp.Expr]
    by_class: Mapping[type[exp.Expr], Sequence[exp.Expr]]
    lost: frozenset[str] | None


def walk_query(sql: str, tree: exp.Expr, inputs: Mapping[tuple[str, str], Relation]) -> Walked:
    """Return a query walked over its inputs; raises RecursionError where it is nested too deep."""
    walk = Walk(inputs)
    relation = walk.query(tree, {}, None)
    nodes = [*tree.walk()]
    by_class: dict[type[exp.Expr], list[exp.Expr]] = {}
    for node in nodes:
        by_class.setdefault(type(node), []).append(node)
    return Walked(walk, relation, nodes, by_class, lost_names(sql, by_class))


def trace_columns(
    sql: str,
    tree: exp.Expr | None,
    inputs: Mapping[tuple[str, str], tuple[str, TableSchema]],
    output: TableSchema,
    walked: Walked | None = None,
) -> Traced:
    """Return where each column of a query comes from, and what it reads.

    `inputs` maps schema and name, in lower case, to the id of a node and its columns; `output` is
    what DuckDB says the query gives: lineage that doesn't fit it is unknown, never wrong. `walked` is
    the query's walk, if it was made already.
    """
    if tree is None:
        return _unknown(inputs, output)
    try:
        walked = walked or walk_query(sql, tree, {k: base_relation(n, s, ()) for k, (n, s) in inputs.items()})
    except RecursionError:
        return _unknown(inputs, output)
    lineage = tuple(
        ColumnLineage(column=column.name, inputs=_sorted(found))
        for column, found in zip(output.columns, match_outputs(walked.relation, output), strict=True)
    )
    reads = {node: _reads(node, schema, walked) for node, schema in inputs.values()}
    found = read_filters(walked.by_class.get(exp.Table, ()), inputs)
    return Traced(lineage, reads, {node: row for node, row in found.items() if reads[node] is not None})


def _unknown(inputs: Mapping[tuple[str, str], tuple[str, TableSchema]], output: TableSchema) -> Traced:
    lineage = tuple(ColumnLineage(column=name, inputs=None) for name in output.names)
    return Traced(lineage, {node: None for node, _ in inputs.values()})


def _sorted(inputs: Inputs) -> tuple[ColumnInput, ...] | None:
    return None if inputs is None else tuple(ColumnInput(node=n, column=c) for n, c in sorted(inputs))


def _reads(node: str, schema: TableSchema, walked: Walked) -> tuple[str, ...] | None:
    """Return the columns of an input in its own order; a name that the parser lost counts as read."""
    walk, lost = walked.walk, walked.lost
    if node not in walk.seen or walk.reads_by_name or lost is None:
        return None
    used = walk.reads[node]
    return tuple(name for name in schema.names if name in used or name.lower() in lost)


def match_outputs(relation: Relation, output: TableSchema) -> list[Inputs]:
    """Return the inputs of each output column, None wherever names or counts disagree with DuckDB."""
    if relation.rest is None:
        if len(relation.columns) != len(output.columns):
            return [None] * len(output.columns)
        pairs = zip(relation.columns, output.names, strict=True)
        return [column.inputs if _fits(column, name) else None for column, name in pairs]
    named = {(column.name or "").lower(): column for column in relation.columns}
    names = [name.lower() for name in output.names]
    rest = relation.rest
    return [None if names.count(n) > 1 else (named.get(n) or rest.called(n)).inputs for n in names]


def _fits(column: Col, name: str) -> bool:
    return column.name is None or column.name.lower() == name.lower()
