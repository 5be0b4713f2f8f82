"""`targets.yml`: where results are delivered."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from osiris_sql.project.check import Checked, check_shape
from osiris_sql.project.declared_tests import DeclaredTests, Subject
from osiris_sql.project.mismatch import missing_key
from osiris_sql.project.models_file import read_declared
from osiris_sql.project.names import Name, Taken, unknown_name
from osiris_sql.project.shape import Names, Report, Shape
from osiris_sql.support.yamlfile import YamlFile
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import DataTest, Publication, PublishMode, SchemaChange


class AppendShape(Shape):
    """What `append` delivers: `all` rows of each build, not only the new ones."""

    all: bool = False


class TargetColumnShape(Shape):
    """A column of a table to deliver, with the data tests on what arrived."""

    name: str
    data_tests: DeclaredTests = Field(default_factory=list)
    tests: DeclaredTests = Field(default_factory=list)


class TargetTableShape(Shape):
    """A table to deliver; `model` defaults to its name."""

    name: Name
    model: str | None = None
    db_schema: Annotated[str | None, Field(alias="schema")] = None
    mode: PublishMode
    key: Names = Field(default_factory=list)
    create: bool = False
    append: AppendShape | None = None
    max_deleted: Annotated[float, Field(ge=0, le=1)] = 0.5
    allow_empty: bool = False
    on_schema_change: SchemaChange = "add"
    tags: Names = Field(default_factory=list)
    columns: list[TargetColumnShape] = Field(default_factory=list)
    data_tests: DeclaredTests = Field(default_factory=list)
    tests: DeclaredTests = Field(default_factory=list)


class TargetShape(Shape):
    """A target."""

    name: Name
    connection: str | None = None
    tables: list[TargetTableShape] = Field(default_factory=list)


class TargetsFile(Shape):
    """The whole of targets.yml."""

    version: Literal[1, 2] = 1
    connections: dict[str, dict[str, Any]] = Field(default_factory=dict)
    targets: list[TargetShape] = Field(default_factory=list)


def check_targets_file(file: YamlFile, report: Report) -> Checked[TargetsFile]:
    """Return what of the file fits its shape."""
    return check_shape(TargetsFile, file.data or {}, file.at, report)


@dataclass(frozen=True)
class _Scope:
    file: YamlFile
    checked: Checked[TargetsFile]
    connections: Collection[str]
    models: Collection[str]
    report: Report


def read_publications(
    checked: Checked[TargetsFile],
    file: YamlFile,
    connections: Collection[str],
    models: Collection[str],
    report: Report,
) -> tuple[list[Publication], list[DataTest]]:
    """Return the sound publications and their data tests; `connections` and `models` are known names."""
    scope = _Scope(file, checked, connections, models, report)
    taken, delivered = Taken("targets", report), Taken("publications of the same table", report)
    found: list[Publication] = []
    tests: list[DataTest] = []
    for target in checked.value.targets if checked.value else ():
        place = file.at((*target.path, "name"))
        if taken.take(target.name, place) and _connection_is_known(target, scope):
            found += _read_tables(target, scope, delivered, tests)
    return found, tests


def _connection_is_known(target: TargetShape, scope: _Scope) -> bool:
    name = target.connection or target.name
    if name in scope.connections:
        return True
    if not scope.checked.is_broken(("connections",)):
        place = scope.file.at((*target.path, "connection" if target.connection else "name"))
        scope.report(unknown_name("connection", name, scope.connections, place))
    return False


def _read_tables(
    target: TargetShape, scope: _Scope, delivered: Taken, tests: list[DataTest]
) -> list[Publication]:
    taken = Taken(f"tables of target {target.name}", scope.report)
    found = []
    for table in target.tables:
        place = scope.file.at((*table.path, "name"))
        if scope.checked.is_broken(table.path) or not taken.take(table.name, place):
            continue
        where = ".".join(filter(None, [target.connection or target.name, table.db_schema, table.name]))
        if _is_sound(table, scope) and delivered.take(where, place):
            found.append(_make_publication(target, table, scope))
            tests += _read_tests(found[-1], table, scope)
    return found


def _read_tests(publication: Publication, table: TargetTableShape, scope: _Scope) -> Iterator[DataTest]:
    """Yield the data tests on what arrived."""
    yield from read_declared(table, Subject(publication.node), scope.file, scope.report)
    for column in table.columns:
        subject = Subject(publication.node, column.name)
        yield from read_declared(column, subject, scope.file, scope.report)


def _is_sound(table: TargetTableShape, scope: _Scope) -> bool:
    model, sound = table.model or table.name, True
    if model not in scope.models:
        place = scope.file.at((*table.path, "model" if table.model else "name"))
        scope.report(unknown_name("model", model, scope.models, place))
        sound = False
    if table.mode in ("upsert", "sync") and not table.key:
        why = f"mode {table.mode} finds the row to change by its key"
        scope.report(missing_key("key", scope.file.at(table.path), why))
        sound = False
    if table.append and table.mode != "append":
        scope.report(
            Diagnostic(
                rule="unused-key",
                message='"append" has no effect',
                location=scope.file.at((*table.path, "append"), key=True),
                why=f"the mode is {table.mode}",
                fix="mode: append",
            )
        )
        sound = False
    return sound


def _make_publication(target: TargetShape, table: TargetTableShape, scope: _Scope) -> Publication:
    return Publication(
        target=target.name,
        table=table.name,
        schema=table.db_schema,
        model=table.model or table.name,
        connection=target.connection or target.name,
        mode=table.mode,
        key=tuple(table.key),
        create=table.create,
        append_all=bool(table.append and table.append.all),
        max_deleted=float(table.max_deleted),
        allow_empty=table.allow_empty,
        on_schema_change=table.on_schema_change,
        tags=tuple(table.tags),
        location=scope.file.at((*table.path, "name")),
    )
