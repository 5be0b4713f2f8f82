"""The arguments of a built-in test: checked by their types, and turned into SQL."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from osiris_sql.compile.data_tests.built_in import Argument, BuiltIn
from osiris_sql.compile.data_tests.jinja_values import render_argument
from osiris_sql.compile.data_tests.mistakes import (
    TestMistakeError,
    missing_argument,
    unknown_argument,
    unknown_column,
    wrong_argument,
)
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.data_tests.values import expression, literal, written
from osiris_sql.compile.table_name import TableName
from osiris_sql.support.nearest import did_you_mean, nearest_name
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import Json
from osiris_sql.types.project import DataTest
from osiris_sql.types.relation import TableSchema, quote_identifier

DATEPARTS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


GROUPS = ("group_by", "group_by_columns")
"""Two names of one argument: tests of dbt's packages have one or the other."""


def given_arguments(test: DataTest, known: Collection[str] = ()) -> dict[str, Json]:
    """Return the arguments of a test, with the column that it is declared on; `known` are its names."""
    given = {**test.arguments, **({"column_name": test.column} if test.column is not None else {})}
    for name, other in (GROUPS, GROUPS[::-1]):
        if name in given and name not in known and other in known and other not in given:
            given[other] = given.pop(name)
    return given


def check_names(test: DataTest, known: Mapping[str, bool], *, open_ended: bool = False) -> list[Diagnostic]:
    """Return what is wrong with the names of a test's arguments; `known` says which are required."""
    given = given_arguments(test, known)
    unknown = [] if open_ended else [name for name in given if name not in known]
    others = [name for name in known if name != "column_name"]
    misspelt = {nearest_name(name, others) for name in unknown}
    missing = [n for n, required in known.items() if required and n not in given and n not in misspelt]
    return [
        *(unknown_argument(test, name, others) for name in unknown),
        *(missing_argument(test, name) for name in missing),
    ]


def sql_arguments(test: DataTest, built_in: BuiltIn, schema: TableSchema, scope: TestScope) -> dict[str, Any]:
    """Return the arguments as the template wants them; raises TestMistakeError with all that is wrong."""
    required = {name: argument.required for name, argument in built_in.arguments.items()}
    found = check_names(test, required)
    given = given_arguments(test, required)
    if built_in.any_of and all(given.get(name) is None for name in built_in.any_of):
        found.append(missing_argument(test, '" or "'.join(built_in.any_of)))
    values: dict[str, Any] = {}
    for name, argument in built_in.arguments.items():
        if given.get(name) is None and not argument.required:
            given[name] = argument.default
        elif name in given:
            try:
                given[name] = render_argument(given[name], test, scope)
            except TestMistakeError as mistake:
                found += mistake.diagnostics
                continue
        else:
            continue
        conversion = _Conversion(argument, given, test, schema, scope)
        found += conversion.problems()
        if not found:
            values[name] = conversion.sql()
    if found:
        raise TestMistakeError(*found)
    return values


@dataclass(frozen=True, slots=True)
class _Conversion:
    """One argument on its way to SQL."""

    argument: Argument
    given: Mapping[str, Json]
    test: DataTest
    schema: TableSchema
    scope: TestScope

    @property
    def value(self) -> Json:
        return self.given[self.argument.name]

    def problems(self) -> Iterator[Diagnostic]:
        if self.value is None:
            if self.argument.required:
                yield self._wrong("is empty")
            return
        if self.argument.type in ("column", "columns"):
            yield from self._column_problems()
            return
        expected = _EXPECTED[self.argument.type](self.value)
        if expected:
            yield self._wrong(expected)
        elif self.argument.choices and self.value not in self.argument.choices:
            known = ", ".join(self.argument.choices)
            yield self._wrong(f"must be one of: {known}", did_you_mean(self.value, self.argument.choices))
        elif self.argument.type == "relation":
            yield from self._relation_problems()

    def _wrong(self, message: str, fix: str = "") -> Diagnostic:
        return wrong_argument(self.test, self.argument.name, message, self.argument.about, fix)

    def _column_problems(self) -> Iterator[Diagnostic]:
        columns = self._columns()
        if not columns or not all(isinstance(name, str) for name in columns):
            if self.value != self.argument.default:
                yield self._wrong("must name columns")
            return
        if self.argument.type == "column" and len(columns) > 1:
            yield self._wrong("must name one column")
        known = self.schema.names
        for name in columns:
            if self.schema.type_of(unquoted(name)) is None:
                yield unknown_column(self.test, name, known)

    def _columns(self) -> list[Any]:
        return list(self.value) if isinstance(self.value, list) else [self.value]

    def _relation_problems(self) -> Iterator[Diagnostic]:
        if self._plain_relation() and self._resolved() is None:
            unknown = self.scope.names.unknown(_table_name(self.value))
            yield self._wrong(f"names what is not there: {unknown.message}", unknown.fix)

    def _plain_relation(self) -> bool:
        """Say whether a relation is a plain name, neither made by `ref()` nor a query in parentheses."""
        return not self.value.lstrip().startswith(('"', "("))

    def _resolved(self) -> str | None:
        return self.scope.names.resolve(_table_name(self.value))

    def sql(self) -> Any:
        """Return the value as the template wants it; there are no problems with it."""
        kind, value = self.argument.type, self.value
        if value is None or kind in ("boolean", "choice"):
            return value
        if kind == "column":
            return self._quoted(value)
        if kind == "columns":
            return [self._quoted(name) for name in self._columns()]
        if kind == "values":
            quote = self.given.get("quote", True)
            return [literal(item) if quote is not False else written(item) for item in value]
        if kind == "relation":
            node = self._resolved() if self._plain_relation() else None
            return self.scope.names.relations[node].sql if node else value
        return _AS_SQL[kind](value)

    def _quoted(self, name: str) -> str:
        wanted = unquoted(name).lower()
        return quote_identifier(next(known for known in self.schema.names if known.lower() == wanted))


def unquoted(name: str) -> str:
    """Return the name that an identifier means, which may be written in quotes."""
    return name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name


def _table_name(text: str) -> TableName:
    schema, _, name = text.strip().rpartition(".")
    return TableName(schema or None, name, 0, len(text))


def _expect_values(value: Json) -> str:
    if not isinstance(value, list) or not value:
        return "must be a list of values, with at least one"
    if any(item is None for item in value):
        return "holds null, which every test of values ignores anyway: leave it out"
    return "" if all(isinstance(item, str | int | float) for item in value) else "must be a list of values"


def _expect_number(value: Json) -> str:
    try:
        return "must be a number" if isinstance(value, bool) or not isfinite(float(value)) else ""
    except (TypeError, ValueError):
        return "must be a number"


def _expect_datepart(value: Json) -> str:
    return "" if str(value).lower() in DATEPARTS else f"must be one of: {', '.join(DATEPARTS)}"


def _expect_sql(value: Json) -> str:
    return "" if isinstance(value, str | int | float) and str(value).strip() else "must be SQL, or a number"


def _expect_text(value: Json) -> str:
    return "" if isinstance(value, str) else "must be text"


def _expect_boolean(value: Json) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


_EXPECTED: Mapping[str, Callable[[Json], str]] = {
    "values": _expect_values,
    "number": _expect_number,
    "datepart": _expect_datepart,
    "sql": _expect_sql,
    "text": _expect_text,
    "name": _expect_text,
    "relation": _expect_text,
    "choice": _expect_text,
    "boolean": _expect_boolean,
}
"""Type → what a value must be, or nothing if it is."""

_AS_SQL: Mapping[str, Callable[[Json], str]] = {
    "number": written,
    "datepart": lambda value: str(value).upper(),
    "sql": expression,
    "text": literal,
    "name": lambda value: quote_identifier(unquoted(value)),
}
