"""What is known of the nodes that are compiled so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from osiris_sql.compile.binder_failure import InScope
from osiris_sql.compile.columns import Binder
from osiris_sql.compile.draft import Variant
from osiris_sql.compile.keys import Keys
from osiris_sql.compile.lineage import Walked, walk_query
from osiris_sql.compile.lineage.facts import base_relation
from osiris_sql.compile.microbatch import within_batch
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.parse import Query, parse_query
from osiris_sql.compile.places import Locate, Splice, splice_text
from osiris_sql.compile.table_name import TableName
from osiris_sql.types.relation import Column, RelationRef, TableSchema, quote_identifier


@dataclass(frozen=True, slots=True)
class Inlined:
    """An ephemeral model's query, to be spliced in wherever it is named.

    `declared` maps files to the reasons with which their determinism was declared; `needs` are the nodes
    that it names.
    """

    sql: str
    locate: Locate
    declared: Mapping[str, str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A node that others can read; `inlined` is there for ephemeral models, which are no relation.

    `event_time` is the column by which a microbatch model takes the rows of a batch from it.
    """

    node: str
    relation: RelationRef
    schema: TableSchema
    keys: Keys
    fingerprint: str
    inlined: Inlined | None = None
    event_time: Column | None = None


@dataclass(frozen=True, slots=True)
class Readable:
    """A query whose every table is a relation: ephemeral models are spliced in.

    `tables` are the relations as (schema, name), lower case; `declared` maps the files of spliced
    models to the reasons with which their determinism was declared. `is_spliced` says that the text is not
    all its author's.
    """

    query: Query
    locate: Locate
    tables: dict[tuple[str, str], Known]
    scope: tuple[InScope, ...]
    declared: Mapping[str, str] = field(default_factory=dict)
    is_spliced: bool = False


def make_readable(
    variant: Variant, known: Mapping[str, Known], names: NodeNames, binder: Binder, *, batch: bool = False
) -> Readable:
    """Return a variant with ephemeral models spliced in, as text at the places of their names.

    With `batch`, so is a filter of each relation that has an event time to the rows of the batch.
    """
    query, locate = variant.query, variant.locate
    inlined = [(table, inside) for table, node in variant.nodes.items() if (inside := known[node].inlined)]
    splices = [_splice(table, inside) for table, inside in inlined]
    if batch:
        times = [(table, known[n], known[n].event_time) for table, n in variant.nodes.items()]
        splices += [_filter(table, read, time, locate) for table, read, time in times if time]
    if splices:
        splices.sort(key=lambda splice: splice.start)
        sql, locate = splice_text(query.sql, locate, splices)
        query = parse_query(sql, binder)
    nodes = [(table, node) for table in query.tables if (node := names.resolve(table))]
    return Readable(
        query=query,
        locate=locate,
        tables={table.key: known[node] for table, node in nodes},
        scope=tuple(
            InScope(t.alias or t.name, node, known[node].schema) for t, node in variant.nodes.items()
        ),
        declared={path: why for _, inside in inlined for path, why in inside.declared.items()},
        is_spliced=bool(splices),
    )


def without_unknown(
    variant: Variant, known: Mapping[str, Known], names: NodeNames, binder: Binder
) -> Variant:
    """Return a variant with an empty relation in place of each table of which nothing is known."""
    query, locate = variant.query, variant.locate
    unknown = [table for table in query.tables if variant.nodes.get(table) not in known]
    if not unknown:
        return variant
    splices = [_empty(table, locate) for table in unknown]
    sql, locate = splice_text(query.sql, locate, splices)
    query = parse_query(sql, binder)
    nodes = {table: node for table in query.tables if (node := names.resolve(table)) and node in known}
    return Variant(query, locate, nodes)


def _empty(table: TableName, locate: Locate) -> Splice:
    tail = "" if table.alias else f" as {quote_identifier(table.name)}"
    return Splice(table.start, table.end, "(SELECT NULL)", "", tail, locate)


def _filter(table: TableName, read: Known, event_time: Column, locate: Locate) -> Splice:
    tail = f" WHERE {within_batch(event_time)})"
    tail += "" if table.alias else f" as {quote_identifier(table.name)}"
    return Splice(table.start, table.end, "(SELECT * FROM ", read.relation.sql, tail, locate)


def _splice(table: TableName, inside: Inlined) -> Splice:
    # A new line, because the text may end in a comment.
    tail = "\n)" if table.alias else f"\n) as {quote_identifier(table.name)}"
    return Splice(table.start, table.end, "(", inside.sql, tail, inside.locate)


def walk_inputs(query: Query, tables: Mapping[tuple[str, str], Known]) -> Walked | None:
    """Return a query walked over what it reads, None where it has no tree or is nested too deep."""
    if query.tree is None:
        return None
    inputs = {key: base_relation(k.node, k.schema, k.keys) for key, k in tables.items()}
    try:
        return walk_query(query.sql, query.tree, inputs)
    except RecursionError:
        return None
