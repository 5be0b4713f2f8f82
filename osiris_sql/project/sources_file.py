"""`sources.yml`: where rows come from."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, ModelWrapValidatorHandler, WithJsonSchema, model_validator

from osiris_sql.project.check import Checked, check_shape
from osiris_sql.project.declared_tests import DeclaredTests, Subject
from osiris_sql.project.durations import Duration
from osiris_sql.project.extract_shape import ExtractShape, read_extract
from osiris_sql.project.freshness import freshness_tests
from osiris_sql.project.mismatch import missing_key
from osiris_sql.project.models_file import ColumnShape, read_columns, read_declared
from osiris_sql.project.names import Name, Taken, unknown_name
from osiris_sql.project.shape import Names, Placed, Report, Shape
from osiris_sql.support.yamlfile import YamlFile
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import ColumnSpec, DataTest, Freshness, OnInvalid, SourceTable

# Schemas of the warehouse that are not for source tables: models live in `main`, state in `osiris`.
_RESERVED = frozenset({"main", "osiris", "temp", "system", "information_schema", "pg_catalog"})


class SourceColumnShape(ColumnShape):
    """A column of a source table; `on_invalid` says what becomes of a value that is none of its type."""

    on_invalid: Annotated[OnInvalid, WithJsonSchema({"enum": ["error", "null", "text", None]})] = "error"

    @model_validator(mode="wrap")
    @classmethod
    def _null_is_a_word(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if isinstance(data, Placed) and data.get("on_invalid", "") is None:
            data = Placed({**data, "on_invalid": "null"}, data.path)
        return handler(data)


class FreshnessShape(Shape):
    """When rows count as old."""

    warn_after: Duration | None = None
    error_after: Duration | None = None


class TableConfigShape(Shape):
    """`config` of a source or of one of its tables, which win over it; the same keys may stand beside it."""

    freshness: FreshnessShape | None = None
    loaded_at_field: str | None = None
    event_time: str | None = None
    tags: Names = Field(default_factory=list)
    meta: dict[str, Any] = Field(default_factory=dict)


class TableShape(Shape):
    """A table of a source; `identifier` is its name there, where that differs. `event_time` is the column
    by which microbatch models take the rows of a batch."""

    name: Name
    identifier: str | None = None
    description: str = ""
    extract: ExtractShape = Field(default_factory=ExtractShape)
    freshness: FreshnessShape | None = None
    loaded_at_field: str | None = None
    columns: list[SourceColumnShape] = Field(default_factory=list)
    data_tests: DeclaredTests = Field(default_factory=list)
    tests: DeclaredTests = Field(default_factory=list)
    tags: Names = Field(default_factory=list)
    meta: dict[str, Any] = Field(default_factory=dict)
    event_time: str | None = None
    config: TableConfigShape = Field(default_factory=TableConfigShape)


class SourceShape(Shape):
    """A source; freshness, loaded_at_field and tags hold for all its tables."""

    name: Name
    description: str = ""
    connection: str | None = None
    freshness: FreshnessShape | None = None
    loaded_at_field: str | None = None
    tags: Names = Field(default_factory=list)
    meta: dict[str, Any] = Field(default_factory=dict)
    config: TableConfigShape = Field(default_factory=TableConfigShape)
    tables: list[TableShape] = Field(default_factory=list)


class SourcesFile(Shape):
    """The whole of sources.yml."""

    version: Literal[1, 2] = 1
    connections: dict[str, dict[str, Any]] = Field(default_factory=dict)
    sources: list[SourceShape] = Field(default_factory=list)


@dataclass(frozen=True)
class _Scope:
    file: YamlFile
    checked: Checked[SourcesFile]
    report: Report


def read_sources(
    checked: Checked[SourcesFile], file: YamlFile, connections: Collection[str], report: Report
) -> tuple[list[SourceTable], list[DataTest]]:
    """Return the source tables, and the data tests declared on them; `connections` are the known names."""
    scope = _Scope(file, checked, report)
    tables: list[SourceTable] = []
    tests: list[DataTest] = []
    taken = Taken("sources", report)
    for source in checked.value.sources if checked.value else ():
        place = file.at((*source.path, "name"))
        if _is_reserved(source, scope) or not taken.take(source.name, place):
            continue
        _check_connection_name(source, scope, connections)
        tables_taken = Taken(f"tables of source {source.name}", report)
        tables += [
            _read_table(source, table, scope, tests)
            for table in source.tables
            if tables_taken.take(table.name, file.at((*table.path, "name")))
        ]
    return tables, tests


def _is_reserved(source: SourceShape, scope: _Scope) -> bool:
    if source.name.lower() not in _RESERVED:
        return False
    scope.report(
        Diagnostic(
            rule="reserved-name",
            message=f'a source can\'t be called "{source.name}"',
            location=scope.file.at((*source.path, "name")),
            why="the warehouse keeps its tables in a schema of that name, and this one is taken",
        )
    )
    return True


def _check_connection_name(source: SourceShape, scope: _Scope, connections: Collection[str]) -> None:
    name = source.connection or source.name
    if name not in connections and not scope.checked.is_broken(("connections",)):
        place = scope.file.at((*source.path, "connection" if source.connection else "name"))
        scope.report(unknown_name("connection", name, connections, place))


def _read_table(source: SourceShape, table: TableShape, scope: _Scope, tests: list[DataTest]) -> SourceTable:
    subject = Subject(f"source:{source.name}.{table.name}")
    tests += read_declared(table, subject, scope.file, scope.report)
    freshness = _read_freshness(source, table, scope)
    place = scope.file.at((*table.path, "name"))
    tests += freshness_tests(freshness, subject.node, place) if freshness else ()
    return SourceTable(
        source=source.name,
        name=table.name,
        identifier=table.identifier or table.name,
        connection=source.connection or source.name,
        extract=read_extract(
            table.extract, (*table.path, "extract"), scope.file, scope.checked, scope.report
        ),
        columns=_read_columns(table, subject, scope, tests),
        description=table.description.strip(),
        freshness=freshness,
        tags=tuple(dict.fromkeys([*source.tags, *source.config.tags, *table.tags, *table.config.tags])),
        event_time=table.event_time or table.config.event_time or source.config.event_time,
        location=place,
    )


def _read_columns(
    table: TableShape, subject: Subject, scope: _Scope, tests: list[DataTest]
) -> tuple[ColumnSpec, ...]:
    policies = {column.name: column.on_invalid for column in table.columns}
    columns = read_columns(list[ColumnShape](table.columns), subject, scope.file, tests, scope.report)
    return tuple(replace(column, on_invalid=policies[column.name]) for column in columns)


def _read_freshness(source: SourceShape, table: TableShape, scope: _Scope) -> Freshness | None:
    shape = table.freshness or table.config.freshness or source.freshness or source.config.freshness
    if shape is None or (shape.warn_after is None and shape.error_after is None):
        return None
    own = table.loaded_at_field or table.config.loaded_at_field
    field = own or source.loaded_at_field or source.config.loaded_at_field or table.extract.watermark
    if field is None:
        why = "freshness is the age of the newest value of that column"
        if not scope.checked.is_broken(table.path):
            scope.report(missing_key("loaded_at_field", scope.file.at((*table.path, "name")), why))
        return None
    return Freshness(loaded_at_field=field, warn_after=shape.warn_after, error_after=shape.error_after)


def check_sources_file(file: YamlFile, report: Report) -> Checked[SourcesFile]:
    """Return what of the file fits its shape."""
    return check_shape(SourcesFile, file.data or {}, file.at, report)
