"""The inputs of a unit test: which relation each `given` stands for, and whether all are there."""

from collections.abc import Mapping
from dataclasses import dataclass

from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.unit_tests.input_name import input_node
from osiris_sql.compile.unit_tests.tested import Tested, schemas_of
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import FixtureRows, UnitTest
from osiris_sql.types.relation import RelationRef, TableSchema


@dataclass(frozen=True, slots=True)
class Fixture:
    """Rows of a relation, its columns, and those of them that the rows must name."""

    label: str
    rows: FixtureRows
    schema: TableSchema
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """A relation that the model reads, and the rows that it is to hold."""

    relation: RelationRef
    fixture: Fixture


def read_inputs(
    test: UnitTest, tested: Tested, manifest: Manifest, names: NodeNames
) -> tuple[list[Input], list[str]]:
    """Return every input of a unit test, one that is not given without rows, and what is wrong with them."""
    schemas, wanted = schemas_of(manifest), set(tested.reads)
    found: dict[str, Input] = {}
    problems = []
    for rows in test.given:
        node = input_node(rows.input, tested.model.node, names)
        problem = _problem(rows, node, wanted, found, names, _reader(test))
        if problem:
            problems.append(f"{rows.location}: {problem}")
        elif node:
            reads = tested.reads[node] or ()
            fixture = Fixture(f"given {rows.input}", rows, schemas[node], reads)
            found[node] = Input(names.relations[node], fixture)
    for node in sorted(wanted - found.keys()):
        spoken = _spoken(node, tested)
        problems.append(f"no rows are given for {spoken}, which {_reader(test)} reads (none is: rows: [])")
        rows = FixtureRows(input=spoken, format="dict", rows=(), location=test.location)
        found[node] = Input(names.relations[node], Fixture(f"given {spoken}", rows, schemas[node]))
    return list(found.values()), problems


def _problem(
    rows: FixtureRows,
    node: str | None,
    wanted: set[str],
    found: Mapping[str, Input],
    names: NodeNames,
    reader: str,
) -> str:
    if node is None:
        near = did_you_mean(rows.input, [_call(known) for known in names.relations])
        return f"\"{rows.input}\" is no input: write ref('model'), source('source', 'table') or this. {near}"
    if node in found:
        return f"rows of {rows.input} are given twice"
    if node not in wanted:
        near = did_you_mean(_call(node), [_call(known) for known in wanted])
        return f"{reader} does not read {rows.input}. {near}".rstrip()
    return ""


def _reader(test: UnitTest) -> str:
    return f"the CTE {test.cte}" if test.cte else "the model"


def _call(node: str) -> str:
    kind, _, name = node.partition(":")
    if kind in ("model", "seed"):
        return f"ref('{name}')"
    source, _, table = name.partition(".")
    return f"source('{source}', '{table}')"


def _spoken(node: str, tested: Tested) -> str:
    return "this" if node == tested.model.node else _call(node)
