"""`models/**/*.yml`: what YAML says of models, and their unit tests, in dbt's shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from osiris_sql.project.check import check_shape
from osiris_sql.project.declared_tests import DeclaredTests, Subject, read_data_tests
from osiris_sql.project.model_config import ConfigShape
from osiris_sql.project.names import Taken, unknown_name
from osiris_sql.project.shape import Report, Shape
from osiris_sql.project.unit_tests import UnitTestShape, read_unit_tests
from osiris_sql.support.yamlfile import YamlFile
from osiris_sql.types.noun import Json
from osiris_sql.types.project import ColumnSpec, DataTest, UnitTest


class ColumnShape(Shape):
    """A column of a model or of a source table."""

    name: str
    data_type: str | None = None
    description: str = ""
    data_tests: DeclaredTests = Field(default_factory=list)
    tests: DeclaredTests = Field(default_factory=list)


class ModelShape(Shape):
    """An entry of `models:`."""

    name: str
    description: str = ""
    columns: list[ColumnShape] = Field(default_factory=list)
    data_tests: DeclaredTests = Field(default_factory=list)
    tests: DeclaredTests = Field(default_factory=list)
    config: ConfigShape = Field(default_factory=ConfigShape)


class ModelsFile(Shape):
    """A YAML file below `models/`."""

    version: Literal[1, 2] = 2
    models: list[ModelShape] = Field(default_factory=list)
    unit_tests: list[UnitTestShape] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """What YAML says of one model."""

    config: Mapping[str, Json]
    columns: tuple[ColumnSpec, ...]
    description: str


@dataclass(frozen=True)
class Described:
    """Everything that the YAML files below `models/` say."""

    entries: dict[str, ModelEntry]
    data_tests: list[DataTest]
    unit_tests: list[UnitTest]


def read_models_files(files: list[YamlFile], models: Mapping[str, Any], report: Report) -> Described:
    """Return what the files say of `models`, the names that have a SQL file."""
    taken, tests_taken = Taken("YAML entries of models", report), Taken("unit tests", report)
    described = Described({}, [], [])
    for file in files:
        shape = check_shape(ModelsFile, file.data or {}, file.at, report).value or ModelsFile()
        for model in shape.models:
            place = file.at((*model.path, "name"))
            if model.name not in models:
                report(unknown_name("model", model.name, models, place))
            elif taken.take(model.name, place):
                described.entries[model.name] = _read_model(model, file, described.data_tests, report)
        described.unit_tests.extend(read_unit_tests(shape.unit_tests, file, models, tests_taken, report))
    return described


def _read_model(model: ModelShape, file: YamlFile, tests: list[DataTest], report: Report) -> ModelEntry:
    subject = Subject(f"model:{model.name}")
    tests += read_declared(model, subject, file, report)
    return ModelEntry(
        config=model.config.given(),
        columns=read_columns(model.columns, subject, file, tests, report),
        description=model.description.strip(),
    )


def read_columns(
    columns: list[ColumnShape], subject: Subject, file: YamlFile, tests: list[DataTest], report: Report
) -> tuple[ColumnSpec, ...]:
    """Return the columns, each once, and add their data tests to `tests`."""
    taken = Taken("columns", report)
    found = []
    for column in columns:
        place = file.at((*column.path, "name"))
        if not taken.take(column.name, place):
            continue
        tests += read_declared(column, Subject(subject.node, column.name), file, report)
        found.append(
            ColumnSpec(
                name=column.name,
                data_type=column.data_type,
                description=column.description.strip(),
                location=place,
            )
        )
    return tuple(found)


def read_declared(shape: Any, subject: Subject, file: YamlFile, report: Report) -> list[DataTest]:
    """Return the data tests of a shape, under `data_tests` or the older `tests`."""
    return [
        test
        for key in ("data_tests", "tests")
        for test in read_data_tests(getattr(shape, key), (*shape.path, key), subject, file, report)
    ]
