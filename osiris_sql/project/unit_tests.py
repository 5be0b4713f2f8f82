"""Unit tests as YAML declares them: given these rows, expect those."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field

from osiris_sql.project.fixtures import Fixtures
from osiris_sql.project.mismatch import kind_of
from osiris_sql.project.names import Name, Taken, unknown_name
from osiris_sql.project.shape import Report, Shape
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.support.yamlfile import YamlFile
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import FixtureRows, UnitTest


class RowsShape(Shape):
    """Rows: a list of mappings for `dict`, text for `csv` and `sql`, or the name of a file that has it."""

    format: Literal["dict", "csv", "sql"] = "dict"
    rows: Any = None
    fixture: str | None = None


class GivenShape(RowsShape):
    """Rows of one input: `ref('…')`, `source('…', '…')` or `this`."""

    input: str


class OverridesShape(Shape):
    """What a unit test sets apart from rows."""

    macros: dict[str, Any] | None = None
    vars: dict[str, Any] | None = None
    env_vars: dict[str, Any] | None = None
    run_clock: str | None = None


class UnitTestShape(Shape):
    """An entry of `unit_tests:`."""

    name: Name
    model: str
    cte: str = ""
    description: str = ""
    given: list[GivenShape] = Field(default_factory=list)
    expect: RowsShape
    overrides: OverridesShape = Field(default_factory=OverridesShape)


def read_unit_tests(
    shapes: list[UnitTestShape],
    file: YamlFile,
    models: Iterable[str],
    fixtures: Fixtures,
    taken: Taken,
    report: Report,
) -> list[UnitTest]:
    """Return the sound unit tests."""
    found = []
    for shape in shapes:
        if shape.model not in models:
            report(unknown_name("model", shape.model, models, file.at((*shape.path, "model"))))
        elif taken.take(shape.name, file.at((*shape.path, "name"))):
            made = _make_unit_test(shape, file, fixtures, report)
            found += [made] if made else []
    return found


def _make_unit_test(
    shape: UnitTestShape, file: YamlFile, fixtures: Fixtures, report: Report
) -> UnitTest | None:
    given = [_make_rows(rows, rows.input, file, fixtures, report) for rows in shape.given]
    expect = _make_rows(shape.expect, "", file, fixtures, report)
    sound = tuple(rows for rows in given if rows)
    if expect is None or len(sound) < len(given):
        return None
    return UnitTest(
        name=shape.name,
        model=shape.model,
        cte=shape.cte,
        given=sound,
        expect=expect,
        overrides=shape.overrides.model_dump(exclude_unset=True),
        description=shape.description.strip(),
        location=file.at((*shape.path, "name")),
    )


def _make_rows(
    shape: RowsShape, name: str, file: YamlFile, fixtures: Fixtures, report: Report
) -> FixtureRows | None:
    rows: Any = shape.rows if shape.fixture is None else _from_file(shape, file, fixtures, report)
    if shape.fixture is not None and rows is None:
        return None
    if shape.format == "dict":
        rows = rows or []
        fits = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        wanted = "a list of mappings, column to value"
    else:
        fits, wanted = isinstance(rows, str), f"text, as the format is {shape.format}"
    if not fits:
        fix = 'say which: format: "csv" or "sql"' if isinstance(rows, str) else ""
        message = f'"rows" must be {wanted}, not {kind_of(rows)}'
        place = file.at((*shape.path, "rows"))
        report(Diagnostic(rule="wrong-type", message=message, location=place, fix=fix))
        return None
    return FixtureRows(
        input=name,
        format=shape.format,
        rows=rows if isinstance(rows, str) else tuple(rows),
        location=file.at(shape.path),
    )


def _from_file(shape: RowsShape, file: YamlFile, fixtures: Fixtures, report: Report) -> str | None:
    """Return the text of the file that a fixture names, or None after reporting what is wrong."""
    place = file.at((*shape.path, "fixture"))
    if shape.rows is not None:
        message = '"rows" and "fixture" are both given'
        report(Diagnostic(rule="wrong-type", message=message, location=place, fix="keep one of them"))
        return None
    if shape.format == "dict":
        fix = 'say which: format: "csv" or "sql"'
        message = f'the fixture "{shape.fixture}" needs a format'
        report(Diagnostic(rule="wrong-type", message=message, location=place, fix=fix))
        return None
    text = fixtures.get((shape.format, str(shape.fixture)))
    if text is None:
        known = [name for kind, name in fixtures if kind == shape.format]
        fix = did_you_mean(str(shape.fixture), known, f"write tests/fixtures/{shape.fixture}.{shape.format}")
        message = f'there is no fixture "{shape.fixture}" of the format {shape.format}'
        report(Diagnostic(rule="unknown-fixture", message=message, location=place, fix=fix))
    return text
