"""Every data test of a project compiled."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from osiris_sql.compile.data_tests.arrived import ArrivedTests, is_arrived
from osiris_sql.compile.data_tests.custom import CustomTest, custom_tests
from osiris_sql.compile.data_tests.fusion import Measure
from osiris_sql.compile.data_tests.generic import find_test, render_generic
from osiris_sql.compile.data_tests.mistakes import TestMistakeError
from osiris_sql.compile.data_tests.proof import Proofs, key_columns
from osiris_sql.compile.data_tests.query import TestQuery, read_query
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.data_tests.settings import compiled_settings, is_enabled, merged_config
from osiris_sql.compile.fingerprint import canonical_tokens, fingerprint
from osiris_sql.compile.rendering import NeedsSchemaError
from osiris_sql.support.dag import reach
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledTest
from osiris_sql.types.project import DataTest


def compile_data_tests(scope: TestScope) -> tuple[tuple[CompiledTest, ...], tuple[Diagnostic, ...]]:
    """Return the data tests, each bound over the static schema, and what is wrong with the others.

    A test of a node that is broken or disabled is left out, without a word of its own.
    """
    own, proofs, arrived = custom_tests(scope.project), Proofs(scope), ArrivedTests(scope)
    compiled: list[CompiledTest] = []
    found: list[Diagnostic] = []
    for test in scope.project.data_tests:
        try:
            made = arrived.compile(test) if is_arrived(test) else _compile_test(test, own, proofs, scope)
        except TestMistakeError as mistake:
            found += mistake.diagnostics
        else:
            compiled += [made] if made else []
    return tuple(compiled), tuple(dict.fromkeys(found))


def _compile_test(
    test: DataTest, own: Mapping[str, CustomTest], proofs: Proofs, scope: TestScope
) -> CompiledTest | None:
    if not is_enabled(dict(test.config)):
        return None
    if test.kind == "singular":
        return _compile_singular(test, scope)
    return _compile_generic(test, own, proofs, scope)


def _compile_generic(
    test: DataTest, own: Mapping[str, CustomTest], proofs: Proofs, scope: TestScope
) -> CompiledTest | None:
    definition = find_test(test, own, scope.project.name)
    if test.node not in scope.known:
        return None
    rendered, measure = render_generic(test, definition, scope)
    config = merged_config(test, rendered)
    if not is_enabled(config):
        return None
    query = read_query(rendered, test.location.path, scope)
    if query.sql != rendered.sql:
        measure = None  # it names the run clock, which only the query was given
    node = _attached_to(test.node, query.reads, scope)
    made = _assemble(test, definition.name, node, query, config, measure)
    made = made if node == test.node else replace(made, about=(test.node,))
    key = key_columns(test, definition)
    return replace(made, proof=proofs.of(test.node, key)) if key else made


def _attached_to(declared: str, reads: tuple[str, ...], scope: TestScope) -> str:
    """Return the node that a test waits for: the one that it was declared on, or the last that it reads
    where one of them is made from that one (a key of a source table in a table made of it)."""
    below = {node for node in reads if declared in reach(scope.needs, [node])}
    return [node for node in reads if node in below][-1] if below else declared


def _compile_singular(test: DataTest, scope: TestScope) -> CompiledTest | None:
    path = test.location.path
    try:
        rendered = scope.renderer.render(path, test.text)
    except NeedsSchemaError as waiting:
        raise TestMistakeError from waiting
    if rendered.sql is None:
        raise TestMistakeError(*rendered.diagnostics)
    config = merged_config(test, rendered)
    if not is_enabled(config):
        return None
    query = read_query(rendered, path, scope)
    if not query.reads:
        raise TestMistakeError(_reads_nothing(test))
    return replace(_assemble(test, "", query.reads[-1], query, config), about=query.reads)


def _reads_nothing(test: DataTest) -> Diagnostic:
    return Diagnostic(
        rule="test-of-nothing",
        message=f'the test "{test.name}" reads no model and no source table',
        location=test.location,
        why="it could not tell whether anything that was built is right",
        fix="select the offending rows of a model, such as FROM {{ ref('orders') }}",
    )


def _assemble(
    test: DataTest,
    name: str,
    node: str,
    query: TestQuery,
    config: dict[str, Any],
    measure: Measure | None = None,
) -> CompiledTest:
    settings = compiled_settings(config)
    outcome = {key: value for key, value in settings.items() if key not in ("tags", "store_failures")}
    return CompiledTest(
        name=test.name,
        node=node,
        column=test.column,
        test=name,
        sql=query.sql,
        reads=query.reads,
        columns_read=query.columns_read,
        shape=measure.shape if measure else None,
        measure=measure.sql if measure else "",
        key=measure.key if measure else "",
        parent=measure.parent if measure else None,
        relation=measure.relation if measure else None,
        fingerprint=fingerprint(canonical_tokens(query.sql), outcome),
        description=test.description,
        location=test.location,
        **settings,
    )
