"""Loads a project: from files to a `Project`, with every mistake at its place."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from osiris_sql.project.connections import Role, read_connections
from osiris_sql.project.disk import Disk
from osiris_sql.project.fixtures import FIXTURES, read_fixtures
from osiris_sql.project.folder_defaults import defaults_of
from osiris_sql.project.lockfile import LOCK_NAME, Lock, read_lock
from osiris_sql.project.merged_config import merge_config
from osiris_sql.project.model_files import SNAPSHOTS, read_models
from osiris_sql.project.models_file import Described, read_models_files
from osiris_sql.project.names import Taken
from osiris_sql.project.seeds import FOLDER as SEEDS
from osiris_sql.project.seeds import find_seeds, read_seeds
from osiris_sql.project.settings_file import Settings, choose_environment, find_settings
from osiris_sql.project.shape import Report
from osiris_sql.project.source_schemas import effective_schemas
from osiris_sql.project.sources_file import SourcesFile, check_sources_file, read_sources
from osiris_sql.project.sql_files import find_files, read_sql, read_text
from osiris_sql.project.targets_file import TargetsFile, check_targets_file, read_publications
from osiris_sql.support.yamlfile import YamlFile, read_yaml
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.project import Connection, DataTest, MacroFile, Model, Project, Publication, SourceTable

_DESCRIBES = re.compile(r"^(data_tests|tests|unit_tests|models|seeds|snapshots)[ \t]*:", re.MULTILINE)


def load_from_files(
    start: Path,
    *,
    env: str | None = None,
    vars: Mapping[str, object] | None = None,  # noqa: A002 - dbt's word
) -> tuple[Project, Disk]:
    """Return a project and what was asked of the disk for it; see `osiris_sql.project.load_project`."""
    found: list[Diagnostic] = []
    settings = find_settings(start, found.append)
    chosen = choose_environment(settings, env)
    project = _load(_Scope(settings, chosen, found.append))
    diagnostics = tuple(sorted(dict.fromkeys(found), key=_order))
    made = replace(project, vars={**project.vars, **(vars or {})}, diagnostics=diagnostics)
    return made, settings.disk


@dataclass(frozen=True)
class _Scope:
    settings: Settings
    env: str
    report: Report

    @property
    def disk(self) -> Disk:
        return self.settings.disk


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    place = diagnostic.location or Location(path="")
    return place.path, place.line or 0, place.column or 0, diagnostic.message


def _load(scope: _Scope) -> Project:
    settings, report = scope.settings, scope.report
    taken = Taken("models", report)
    models = read_models(scope.disk, taken, report)
    seed_paths = find_seeds(scope.disk, taken, report)
    files, fixtures = list(_read_yaml_files(scope)), read_fixtures(scope.disk, settings.test_paths, report)
    described = read_models_files(files, models, seed_paths, fixtures, report)
    seeds, seed_ends = read_seeds(seed_paths, described.seeds)
    source_ends, tables, source_tests = _read_sources_file(scope)
    target_ends, publications, target_tests = _read_targets_file(models, scope)
    lock = _read_lock(scope)
    schemas = effective_schemas(tables, lock, settings.default_env, scope.env, report)
    tests = [*source_tests, *described.data_tests, *target_tests, *_read_singular_tests(scope)]
    return Project(
        root=scope.disk.root.as_posix(),
        name=settings.name,
        env=scope.env,
        environments=settings.environments,
        warehouse=settings.warehouse.replace("{env}", scope.env),
        settings=settings.engine,
        vars=settings.vars,
        connections=(*source_ends, *seed_ends, *target_ends),
        sources=tuple(tables),
        models=tuple(_describe(model, described, settings) for model in models.values()),
        macros=tuple(_read_macros(scope)),
        data_tests=_each_once(tests, report),
        unit_tests=tuple(described.unit_tests),
        publications=tuple(publications),
        schemas=schemas,
        locked=lock.get(scope.env, {}),
        lint=settings.lint,
        seeds=tuple(seeds),
    )


def _read_yaml_files(scope: _Scope) -> Iterable[YamlFile]:
    """Yield what describes models, snapshots and seeds; each may stand in any of their folders."""
    for folder in ("models", SNAPSHOTS, SEEDS):
        for path in find_files(scope.disk, folder, ".yml", ".yaml"):
            if file := _read_yaml(path, scope):
                yield file


def _describe(model: Model, described: Described, settings: Settings) -> Model:
    config = merge_config(model.config, defaults_of(model.path, settings.model_defaults))
    entry = described.entries.get(model.name)
    if entry is None:
        return replace(model, config=config)
    return replace(
        model,
        config=merge_config(config, entry.config),
        columns=entry.columns,
        description=entry.description,
    )


def _read_macros(scope: _Scope) -> Iterable[MacroFile]:
    for path in (*find_files(scope.disk, "macros", ".sql"), *_find_tests(scope, generic=True)):
        text = read_sql(scope.disk, path, scope.report)
        if text is not None:
            yield MacroFile(path=path, text=text)


def _find_tests(scope: _Scope, *, generic: bool) -> list[str]:
    """Return the files of singular tests, or those in their folder `generic`, which hold macros as in dbt.

    Its other folder `fixtures` has rows of unit tests.
    """
    found = {
        path
        for folder in scope.settings.test_paths
        for path in find_files(scope.disk, folder, ".sql")
        if ("generic" in (parts := PurePosixPath(path).relative_to(PurePosixPath(folder)).parts[:-1]))
        == generic
        and FIXTURES not in parts
    }
    return sorted(found)


def _read_singular_tests(scope: _Scope) -> Iterable[DataTest]:
    _refuse_yaml_of_tests(scope)
    for path in _find_tests(scope, generic=False):
        text = read_sql(scope.disk, path, scope.report)
        if text is not None:
            place = Location(path=path, line=1, column=1)
            yield DataTest(name=PurePosixPath(path).stem, kind="singular", text=text, location=place)


def _refuse_yaml_of_tests(scope: _Scope) -> None:
    """What dbt reads in YAML beside singular tests could change how they end: it is not passed over."""
    paths = (
        p for folder in scope.settings.test_paths for p in find_files(scope.disk, folder, ".yml", ".yaml")
    )
    for path in paths:
        key = _DESCRIBES.search(read_text(scope.disk, path, scope.report) or "")
        if key is None:
            continue
        line = key.string.count("\n", 0, key.start()) + 1
        place = Location(path=path, line=line, column=1, length=len(key[1]))
        why = "beside tests no YAML is read"
        fix = "write config() into the file of the test; what describes models belongs into models/"
        message = f'"{key[1]}" stands where it is not read'
        scope.report(Diagnostic(rule="unread-yaml", message=message, location=place, why=why, fix=fix))


def _each_once(tests: Iterable[DataTest], report: Report) -> tuple[DataTest, ...]:
    taken = Taken("data tests", report)
    fix = "remove one, or give it a name of its own"
    return tuple(test for test in tests if taken.take(test.name, test.location, fix))


def _read_yaml(path: str, scope: _Scope) -> YamlFile | None:
    text = read_text(scope.disk, path, scope.report)
    if text is None:
        return None
    file, found = read_yaml(text, path)
    for diagnostic in found:
        scope.report(diagnostic)
    return file


def _read_end(name: str, scope: _Scope) -> YamlFile | None:
    """Return sources.yml or targets.yml; a project may lack either."""
    if scope.disk.has_file(f"{name}.yml"):
        return _read_yaml(f"{name}.yml", scope)
    if scope.disk.has_file(f"{name}.yaml"):
        place = Location(path=f"{name}.yaml")
        message, fix = "this file is not read", f"rename it to {name}.yml"
        scope.report(Diagnostic(rule="wrong-file-name", message=message, location=place, fix=fix))
    return None


def _read_sources_file(scope: _Scope) -> tuple[list[Connection], list[SourceTable], list[DataTest]]:
    file = _read_end("sources", scope)
    if file is None:
        return [], [], []
    checked = check_sources_file(file, scope.report)
    shape = checked.value or SourcesFile()
    tables, tests = read_sources(checked, file, shape.connections, scope.report)
    return _read_connections(shape, "sources", file, scope), tables, tests


def _read_targets_file(
    models: Mapping[str, Model], scope: _Scope
) -> tuple[list[Connection], list[Publication], list[DataTest]]:
    file = _read_end("targets", scope)
    if file is None:
        return [], [], []
    checked = check_targets_file(file, scope.report)
    shape = checked.value or TargetsFile()
    publications, tests = read_publications(checked, file, shape.connections, models, scope.report)
    return _read_connections(shape, "targets", file, scope), publications, tests


def _read_connections(
    shape: SourcesFile | TargetsFile, role: Role, file: YamlFile, scope: _Scope
) -> list[Connection]:
    environments = scope.settings.environments
    return read_connections(shape.connections, role, file, environments, scope.env, scope.report)


def _read_lock(scope: _Scope) -> Lock:
    if not scope.disk.has_file(LOCK_NAME):
        return {}
    text = read_text(scope.disk, LOCK_NAME, scope.report)
    try:
        return read_lock(text or "")
    except ProjectError as error:
        for diagnostic in error.diagnostics:
            scope.report(replace(diagnostic, fix=diagnostic.fix or "write it again: osiris-sql discover"))
        return {}
