"""How a mistake in a data test is told."""

from collections.abc import Iterable

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import DataTest

_SAID_OTHERWISE = {
    "expect_column_values_to_be_unique": "unique",
    "expect_column_values_to_not_be_null": "not_null",
    "expect_column_values_to_be_between": "accepted_range: {min_value: …, max_value: …}",
    "expect_column_values_to_be_in_set": "accepted_values: {values: […]}",
    "expect_column_values_to_not_be_in_set": 'expression_is_true: {expression: "not in (…)"}',
    "expect_compound_columns_to_be_unique": "unique_combination_of_columns: {combination_of_columns: […]}",
    "expect_row_values_to_have_recent_data": "recency: {field: …, datepart: …, interval: …}",
    "expect_table_row_count_to_equal_other_table": "equal_rowcount: {compare_model: …}",
    "not_accepted_values": 'expression_is_true: {expression: "not in (…)"}',
    "relationships_where": 'relationships: {to: …, field: …, config: {where: "…"}}',
}
"""Tests of dbt's packages that we have under another name, with other arguments."""


class TestMistakeError(Exception):
    """Ends the compilation of one data test; an empty one says that its inputs are already reported."""

    __test__ = False

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics


def unknown_test(test: DataTest, names: Iterable[str]) -> Diagnostic:
    """Return the diagnostic of a generic test that nobody defined."""
    package, _, name = test.test.rpartition(".")
    hint = f"write it as a macro: {{% test {name}(model, column_name) %}} … {{% endtest %}} in macros/"
    why = f'there are no packages: "{package}" is not installed' if package else ""
    message = f'there is no data test "{test.test}"'
    ours = _SAID_OTHERWISE.get(name)
    fix = f"here it is: {ours}" if ours else did_you_mean(name, names, hint)
    return Diagnostic(rule="unknown-test", message=message, location=test.location, why=why, fix=fix)


def unknown_argument(test: DataTest, name: str, known: Iterable[str]) -> Diagnostic:
    """Return the diagnostic of an argument that a test does not have."""
    known = list(known)
    if name == "column_name":
        message = f'the test "{test.test}" is about a whole relation, not about one column'
        fix = f"declare it under {test.node.partition(':')[2]}, beside its columns"
        return Diagnostic(rule="unknown-argument", message=message, location=test.location, fix=fix)
    return Diagnostic(
        rule="unknown-argument",
        message=f'the test "{test.test}" has no argument "{name}"',
        location=test.location,
        why=f"its arguments: {', '.join(known)}" if known else "it has no arguments",
        fix=did_you_mean(name, known),
    )


def missing_argument(test: DataTest, name: str) -> Diagnostic:
    """Return the diagnostic of an argument that must be given."""
    message = f'the test "{test.test}" needs the argument "{name}"'
    fix = f"declare it under a column, or give {name}" if name == "column_name" else ""
    return Diagnostic(rule="missing-argument", message=message, location=test.location, fix=fix)


def wrong_argument(test: DataTest, name: str, message: str, about: str, fix: str = "") -> Diagnostic:
    """Return the diagnostic of an argument that has a value which it can't have; `about` says its use."""
    message = f'the argument "{name}" of the test "{test.test}" {message}'
    return Diagnostic(rule="wrong-argument", message=message, location=test.location, why=about, fix=fix)


def unknown_column(test: DataTest, name: str, columns: Iterable[str]) -> Diagnostic:
    """Return the diagnostic of a column that the tested relation does not have."""
    owner, columns = test.node.partition(":")[2], list(columns)
    return Diagnostic(
        rule="unknown-column",
        message=f'{owner} has no column "{name}"',
        location=test.location,
        why=f"its columns: {', '.join(columns)}",
        fix=did_you_mean(name, columns),
    )
