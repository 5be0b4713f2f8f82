"""One CTE of a model as a query of its own, so that a unit test can look at it."""

from collections.abc import Mapping
from dataclasses import dataclass

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.determinism.outline import Outline
from osiris_sql.compile.lineage import trace_columns
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.parse import parse_query
from osiris_sql.compile.unit_tests.mistake import UnitTestError
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.relation import TableSchema


@dataclass(frozen=True, slots=True)
class CteQuery:
    """The SQL of a CTE with those before it, and the columns that they read of each node (None: all)."""

    sql: str
    reads: Mapping[str, tuple[str, ...] | None]


def cte_query(
    sql: str, name: str, names: NodeNames, schemas: Mapping[str, TableSchema], model: str
) -> CteQuery:
    """Return a CTE of the outermost WITH of a model's SQL; raises UnitTestError."""
    cut = _up_to(sql, name, model)
    query = parse_query(cut, Binder())
    nodes = {table.key: node for table in query.tables if (node := names.resolve(table))}
    inputs = {key: (node, schemas[node]) for key, node in nodes.items()}
    return CteQuery(cut, trace_columns(query.sql, query.tree, inputs, TableSchema(columns=())).reads)


def _up_to(sql: str, name: str, model: str) -> str:
    """Return the text up to the end of a CTE, which is what it can read, and a SELECT of it."""
    try:
        outline = Outline(sql)
    except ValueError as error:
        raise UnitTestError(f"the CTEs of {model} can't be told apart: {error}") from error
    ends = {outline.tokens[first].text: (first, end) for first, end in outline.blocks[0].ctes}
    found = next((known for known in ends if known.lower() == name.lower()), None)
    if found is None:
        raise UnitTestError(f'{model} has no CTE "{name}". {did_you_mean(name, ends)}'.rstrip())
    first, end = ends[found]
    return f"{sql[: outline.span((0, end))[1]]}\nSELECT * FROM {outline.text((first, first + 1))}"
