"""The SQL of a data test: one SELECT, its tables known, bound over the static schema."""

from collections.abc import Mapping
from dataclasses import dataclass

from osiris_sql.compile.columns import BinderError
from osiris_sql.compile.data_tests.mistakes import TestMistakeError
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.determinism import InputFacts, judge_query
from osiris_sql.compile.draft import read_variant
from osiris_sql.compile.known import Readable, make_readable
from osiris_sql.compile.lineage import trace_columns
from osiris_sql.compile.render import Rendered
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.relation import TableSchema


@dataclass(frozen=True, slots=True)
class TestQuery:
    """SQL as it runs, the nodes that it names in build order, and the columns that it reads of each
    relation (None where all must be assumed)."""

    __test__ = False

    sql: str
    reads: tuple[str, ...]
    columns_read: Mapping[str, tuple[str, ...] | None]


def read_query(rendered: Rendered, path: str, scope: TestScope) -> TestQuery:
    """Return what a rendered test reads; raises TestMistakeError."""
    found: list[Diagnostic] = []
    variant = read_variant(rendered, path, scope.binder, scope.names, found)
    if variant is None or any(diagnostic.severity == "error" for diagnostic in found):
        raise TestMistakeError(*found)
    named = set(variant.nodes.values())
    if not named <= scope.known.keys():
        raise TestMistakeError
    readable = Readable(variant.query, variant.locate, {}, ())
    try:
        readable = make_readable(variant, scope.known, scope.names, scope.binder)
        schema = scope.binder.bind(readable.query.sql, readable.scope)
    except BinderError as error:
        raise TestMistakeError(error.problem.at(readable.locate, path)) from error
    query, tables = readable.query, readable.tables
    inputs = {key: (known.node, known.schema) for key, known in tables.items()}
    return TestQuery(
        sql=_with_run_clock(readable, schema, scope),
        reads=tuple(node for node in scope.known if node in named),
        columns_read=trace_columns(query.sql, query.tree, inputs, schema).reads,
    )


def _with_run_clock(readable: Readable, schema: TableSchema, scope: TestScope) -> str:
    """Return the SQL with the run clock for `now()` and the like, else as it was written."""
    inputs = {
        key: InputFacts(node=known.node, schema=known.schema, keys=known.keys)
        for key, known in readable.tables.items()
    }

    def bind(sql: str) -> TableSchema | None:
        try:
            return scope.binder.bind(sql)
        except BinderError:
            return None

    query = readable.query
    return judge_query(query.sql, query.tree, inputs, schema, declared=True, bind=bind).sql
