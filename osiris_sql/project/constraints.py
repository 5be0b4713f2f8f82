"""Constraints of a contract, in dbt's YAML: each is a data test, so it holds before the rows are kept."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from osiris_sql.project.declared_tests import Subject, generic_name
from osiris_sql.project.shape import Names, Report, Shape
from osiris_sql.support.yamlfile import YamlFile
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import Json
from osiris_sql.types.project import DataTest


class ConstraintShape(Shape):
    """An entry of `constraints:`; that a platform does not enforce it changes nothing here."""

    type: Literal["not_null", "unique", "primary_key", "foreign_key", "check"]
    name: str | None = None
    expression: str | None = None
    columns: Names = Field(default_factory=list)
    to: str | None = None
    to_columns: Names = Field(default_factory=list)
    warn_unenforced: bool = True
    warn_unsupported: bool = True


def read_constraints(
    shapes: Sequence[ConstraintShape], subject: Subject, file: YamlFile, report: Report
) -> list[DataTest]:
    """Return the data tests that constraints of a model or of one of its columns stand for."""
    found: list[DataTest] = []
    for shape in shapes:
        columns = [subject.column] if subject.column else list(shape.columns)
        tests = list(_tests(shape, columns))
        if not tests:
            report(
                Diagnostic(
                    rule="missing-key",
                    message=f"the constraint {shape.type} does not say enough",
                    location=file.at(shape.path),
                    fix="a check has an expression, a foreign_key one column, to and one of to_columns",
                )
            )
        for test, column, arguments in tests:
            on = Subject(subject.node, column)
            found.append(
                DataTest(
                    name=generic_name(test, on, arguments),
                    kind="generic",
                    test=test,
                    node=subject.node,
                    column=column,
                    arguments=arguments,
                    location=file.at(shape.path),
                )
            )
    return found


def _tests(shape: ConstraintShape, columns: list[str]) -> Iterator[tuple[str, str | None, dict[str, Json]]]:
    """Yield the name, the column and the arguments of each data test."""
    match shape.type:
        case "check" if shape.expression:
            yield "expression_is_true", None, {"expression": shape.expression}
        case "foreign_key" if shape.to and len(columns) == len(shape.to_columns) == 1:
            yield "relationships", columns[0], {"to": shape.to, "field": shape.to_columns[0]}
        case "not_null" | "unique" | "primary_key":
            if shape.type != "unique":
                yield from (("not_null", column, {}) for column in columns)
            if shape.type != "not_null" and len(columns) == 1:
                yield "unique", columns[0], {}
            if shape.type != "not_null" and len(columns) > 1:
                yield "unique_combination_of_columns", None, {"combination_of_columns": columns}
        case _:
            return


def add_missing(tests: list[DataTest], more: Sequence[DataTest]) -> None:
    """Add data tests that are not declared already."""
    names = {test.name for test in tests}
    tests += [test for test in more if test.name not in names]
