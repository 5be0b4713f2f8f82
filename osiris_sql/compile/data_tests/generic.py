"""A generic test as SQL: a built-in one, or one of the project's own."""

from collections.abc import Mapping
from typing import Any

from osiris_sql.compile.data_tests.arguments import check_names, given_arguments, sql_arguments
from osiris_sql.compile.data_tests.built_in import PREFIXES, BuiltIn, built_in_names, load_built_in
from osiris_sql.compile.data_tests.custom import CustomTest
from osiris_sql.compile.data_tests.fusion import Measure, measure_test
from osiris_sql.compile.data_tests.jinja_values import render_argument, render_text, render_value
from osiris_sql.compile.data_tests.mistakes import TestMistakeError, unknown_column, unknown_test
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.data_tests.values import expression, named_columns
from osiris_sql.compile.known import Known
from osiris_sql.compile.render import Rendered
from osiris_sql.compile.template_values import RelationText
from osiris_sql.types.project import DataTest


def find_test(test: DataTest, own: Mapping[str, CustomTest], project: str) -> CustomTest | BuiltIn:
    """Return the definition of a generic test, the project's own first; raises TestMistakeError."""
    package, _, name = test.test.rpartition(".")
    if package in ("", project) and name in own:
        return own[name]
    known = built_in_names()
    if package in ("", *PREFIXES) and name in known:
        return load_built_in(known[name])
    raise TestMistakeError(unknown_test(test, [*own, *known]))


def render_generic(
    test: DataTest, definition: CustomTest | BuiltIn, scope: TestScope
) -> tuple[Rendered, Measure | None]:
    """Return the SQL of a generic test, and what of it can be fused; raises TestMistakeError."""
    known = scope.known[test.node]
    where = render_value(test.config.get("where"), test, scope)
    if isinstance(definition, CustomTest):
        return _render_custom(test, definition, known, where, scope), None
    values = sql_arguments(test, definition, known.schema, scope)
    texts = [*_texts(values.values()), where or ""]
    columns = named_columns(known.schema, texts)
    model = _filtered(known, where, columns) if where else known.relation.sql
    sql = definition.template.render(values, model=model, columns_in_arguments=columns, kept="")
    condition = expression(where) if where else None
    measure = measure_test(definition, values, condition, known, scope)
    return Rendered(sql, {}, (), lambda _offset, _length: test.location), measure


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values]


def _filtered(known: Known, where: str, columns: str) -> str:
    """Return the rows of a relation that a test looks at, with no more columns than it names."""
    return f"(SELECT {columns} FROM {known.relation.sql} WHERE {expression(where)})"


def _render_custom(
    test: DataTest, definition: CustomTest, known: Known, where: str | None, scope: TestScope
) -> Rendered:
    found = check_names(test, definition.arguments, open_ended=definition.open_ended)
    if test.column is not None and known.schema.type_of(test.column) is None:
        found.append(unknown_column(test, test.column, known.schema.names))
    if found:
        raise TestMistakeError(*found)
    arguments = {name: render_argument(value, test, scope) for name, value in given_arguments(test).items()}
    model: str = RelationText(known.relation, known.node)
    if where:
        # The alias is dbt's: people's tests rely on it.
        model = f"{_filtered(known, where, '*')} dbt_subquery"
    text = f"{{{{ test_{definition.name}(**test_arguments) }}}}"
    return render_text(text, test, scope, {"test_arguments": {"model": model, **arguments}})
