"""What YAML says of models, snapshots and seeds, and their unit tests, in dbt's shape."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from osiris_sql.project.check import check_shape
from osiris_sql.project.constraints import ConstraintShape, add_missing, read_constraints
from osiris_sql.project.declared_tests import DeclaredTests, Subject, read_data_tests
from osiris_sql.project.fixtures import Fixtures
from osiris_sql.project.model_config import ConfigShape
from osiris_sql.project.names import Taken, unknown_name
from osiris_sql.project.shape import Names, Report, Shape
from osiris_sql.project.unit_tests import UnitTestShape, read_unit_tests
from osiris_sql.support.yamlfile import YamlFile
from osiris_sql.types.noun import Json
from osiris_sql.types.project import ColumnSpec, DataTest, UnitTest

Character = Annotated[str, Field(min_length=1, max_length=1)]


class ColumnConfigShape(Shape):
    """`config` of a column."""

    meta: dict[str, Any] = Field(default_factory=dict)
    tags: Names = Field(default_factory=list)


class ColumnShape(Shape):
    """A column of a model, a seed or a source table; its tags are those of its data tests, as in dbt.

    `quote` changes nothing: every name that this tool writes is quoted.
    """

    name: str
    data_type: str | None = None
    description: str = ""
    meta: dict[str, Any] = Field(default_factory=dict)
    tags: Names = Field(default_factory=list)
    quote: bool = True
    constraints: list[ConstraintShape] = Field(default_factory=list)
    config: ColumnConfigShape = Field(default_factory=ColumnConfigShape)
    data_tests: DeclaredTests = Field(default_factory=list)
    tests: DeclaredTests = Field(default_factory=list)


class DescribedShape(Shape):
    """What is said of a model as of a seed."""

    name: str
    description: str = ""
    columns: list[ColumnShape] = Field(default_factory=list)
    data_tests: DeclaredTests = Field(default_factory=list)
    tests: DeclaredTests = Field(default_factory=list)


class ModelShape(DescribedShape):
    """An entry of `models:`."""

    constraints: list[ConstraintShape] = Field(default_factory=list)
    config: ConfigShape = Field(default_factory=ConfigShape)


class SeedConfigShape(Shape):
    """`config` of a seed; `column_types` are DuckDB types by column.

    `quote_columns` changes nothing: every name that this tool writes is quoted.
    """

    enabled: bool = True
    column_types: dict[str, str] = Field(default_factory=dict)
    delimiter: Character = ","
    quote: Character = '"'
    tags: Names = Field(default_factory=list)
    meta: dict[str, Any] = Field(default_factory=dict)
    quote_columns: bool = True


class SeedShape(DescribedShape):
    """An entry of `seeds:`."""

    config: SeedConfigShape = Field(default_factory=SeedConfigShape)


class ModelsFile(Shape):
    """A YAML file below `models/`, `snapshots/` or `seeds/`."""

    version: Literal[1, 2] = 2
    models: list[ModelShape] = Field(default_factory=list)
    snapshots: list[ModelShape] = Field(default_factory=list)
    seeds: list[SeedShape] = Field(default_factory=list)
    unit_tests: list[UnitTestShape] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """What YAML says of one model or seed."""

    config: Mapping[str, Json]
    columns: tuple[ColumnSpec, ...]
    description: str


@dataclass(frozen=True)
class Described:
    """Everything that the YAML files say."""

    entries: dict[str, ModelEntry]
    seeds: dict[str, ModelEntry]
    data_tests: list[DataTest]
    unit_tests: list[UnitTest]


def read_models_files(
    files: list[YamlFile],
    models: Mapping[str, Any],
    seeds: Collection[str],
    fixtures: Fixtures,
    report: Report,
) -> Described:
    """Return what the files say of `models`, the names that have a SQL file, and of `seeds`."""
    taken, tests_taken = Taken("YAML entries of models", report), Taken("unit tests", report)
    described = Described({}, {}, [], [])
    for file in files:
        shape = check_shape(ModelsFile, file.data or {}, file.at, report).value or ModelsFile()
        for model in (*shape.models, *shape.snapshots):
            place = file.at((*model.path, "name"))
            if model.name not in models:
                report(unknown_name("model", model.name, models, place))
            elif taken.take(model.name, place):
                described.entries[model.name] = _read_model(model, file, described.data_tests, report)
        for seed in shape.seeds:
            place = file.at((*seed.path, "name"))
            if seed.name not in seeds:
                report(unknown_name("seed", seed.name, seeds, place))
            elif taken.take(seed.name, place):
                described.seeds[seed.name] = _read_seed(seed, file, described.data_tests, report)
        described.unit_tests.extend(
            read_unit_tests(shape.unit_tests, file, models, fixtures, tests_taken, report)
        )
    return described


def _read_model(model: ModelShape, file: YamlFile, tests: list[DataTest], report: Report) -> ModelEntry:
    subject = Subject(f"model:{model.name}")
    own = read_declared(model, subject, file, report)
    columns = read_columns(model.columns, subject, file, own, report)
    if model.config.contract:
        # As in dbt, constraints are part of an enforced contract, and of nothing else.
        add_missing(own, read_constraints(model.constraints, subject, file, report))
        for column in model.columns:
            on = Subject(subject.node, column.name)
            add_missing(own, read_constraints(column.constraints, on, file, report))
    tests += own
    return ModelEntry(
        config=model.config.given(),
        columns=columns,
        description=model.description.strip(),
    )


def _read_seed(seed: SeedShape, file: YamlFile, tests: list[DataTest], report: Report) -> ModelEntry:
    subject = Subject(f"seed:{seed.name}")
    tests += read_declared(seed, subject, file, report)
    columns = {c.name.lower(): c for c in read_columns(seed.columns, subject, file, tests, report)}
    for name, data_type in seed.config.column_types.items():
        place = file.at((*seed.config.path, "column_types", name), key=True)
        spec = columns.get(name.lower(), ColumnSpec(name=name, location=place))
        columns[name.lower()] = replace(spec, data_type=data_type, location=place)
    return ModelEntry(
        config=seed.config.model_dump(),
        columns=tuple(columns.values()),
        description=seed.description.strip(),
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
        tags = [*column.tags, *column.config.tags]
        declared = read_declared(column, Subject(subject.node, column.name), file, report)
        tests += [_with_tags(test, tags) for test in declared] if tags else declared
        found.append(
            ColumnSpec(
                name=column.name,
                data_type=column.data_type,
                description=column.description.strip(),
                location=place,
            )
        )
    return tuple(found)


def _with_tags(test: DataTest, tags: list[str]) -> DataTest:
    own = test.config.get("tags") or []
    return replace(test, config={**test.config, "tags": list(dict.fromkeys([*own, *tags]))})


def read_declared(shape: Any, subject: Subject, file: YamlFile, report: Report) -> list[DataTest]:
    """Return the data tests of a shape, under `data_tests` or the older `tests`."""
    return [
        test
        for key in ("data_tests", "tests")
        for test in read_data_tests(getattr(shape, key), (*shape.path, key), subject, file, report)
    ]
