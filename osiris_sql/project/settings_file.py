"""The settings of a project: `[tool.osiris-sql]` of pyproject.toml, or osiris-sql.toml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from osiris_sql.project.check import check_shape
from osiris_sql.project.disk import Disk
from osiris_sql.project.folder_defaults import FolderDefaults, read_folder_defaults
from osiris_sql.project.mismatch import missing_key
from osiris_sql.project.names import Name
from osiris_sql.project.shape import Report, Shape
from osiris_sql.project.sql_files import read_text
from osiris_sql.project.tomlfile import TomlFile, read_toml
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError, Severity
from osiris_sql.types.noun import Json
from osiris_sql.types.project import EngineSettings, LintConfig

Positive = Annotated[int, Field(ge=1)]


def _check_size(text: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)? ?([KMGT]i?)?B", text):
        raise ValueError('must be a size such as "4GB"')
    return text


Size = Annotated[str, AfterValidator(_check_size)]


class LintShape(Shape):
    """`lint`: rules to ignore, everywhere and by folder, and severities other than their own."""

    ignore: list[str] = Field(default_factory=list)
    per_folder: dict[str, list[str]] = Field(default_factory=dict)
    severity: dict[str, Severity] = Field(default_factory=dict)


# DuckDB calls a database by its file; state lives in the schema `osiris`, models in `main`.
TAKEN = {"main", "osiris", "system", "temp"}


class SettingsShape(Shape):
    """The keys of `[tool.osiris-sql]`; `models` is a tree of folders with their defaults."""

    name: Name | None = None
    environments: Annotated[list[Name], Field(min_length=1)] = Field(default_factory=lambda: ["dev"])
    default_env: str | None = None
    vars: dict[str, Any] = Field(default_factory=dict)
    threads: Positive | None = None
    concurrency: Positive = EngineSettings().concurrency
    memory_limit: Size | None = None
    warehouse: str = ".osiris/{env}.duckdb"
    test_paths: list[str] | None = None
    models: dict[str, Any] = Field(default_factory=dict)
    lint: LintShape = Field(default_factory=LintShape)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the settings file says; `file` knows the places in it."""

    disk: Disk
    file: TomlFile
    name: str
    environments: tuple[str, ...]
    default_env: str
    vars: Mapping[str, Json]
    engine: EngineSettings
    warehouse: str
    test_paths: tuple[str, ...]
    model_defaults: FolderDefaults
    lint: LintConfig


def find_settings(start: Path, report: Report) -> Settings:
    """Return the settings of the project that `start` is in.

    Raises ProjectError if there is no project here or above, or if its file is not TOML.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        disk = Disk(folder)
        if file := _settings_in(disk):
            return _read_settings(disk, file, report)
    raise ProjectError(
        Diagnostic(
            rule="no-project",
            message=f"there is no osiris-sql project in {start} or above it",
            why="a project has a pyproject.toml with [tool.osiris-sql], or an osiris-sql.toml",
            fix="go to a project's folder, or make one: osiris-sql init",
        )
    )


def choose_environment(settings: Settings, env: str | None) -> str:
    """Return the environment asked for, else the default; raises ProjectError if it is not declared."""
    chosen = env or settings.default_env
    if chosen in settings.environments:
        return chosen
    raise ProjectError(
        Diagnostic(
            rule="unknown-environment",
            message=f'there is no environment "{chosen}"',
            location=settings.file.at(("environments",)) if env else settings.file.at(("default_env",)),
            why=f"environments: {', '.join(settings.environments)}",
            fix=did_you_mean(chosen, settings.environments),
        )
    )


def _settings_in(disk: Disk) -> TomlFile | None:
    own = _parse(disk, "osiris-sql.toml")
    shared = _parse(disk, "pyproject.toml", marker="[tool.osiris-sql")
    if shared:
        tools = shared.data.get("tool", {})
        shared = replace(shared, data=tools["osiris-sql"], prefix=("tool", "osiris-sql"))
    if own and shared:
        raise ProjectError(
            Diagnostic(
                rule="two-settings",
                message="both osiris-sql.toml and pyproject.toml hold settings",
                location=shared.at(()),
                fix="keep them in one of the two",
            )
        )
    return own or shared


def _parse(disk: Disk, name: str, marker: str = "") -> TomlFile | None:
    if not disk.has_file(name):
        return None
    found: list[Diagnostic] = []
    text = read_text(disk, name, found.append)
    if text is None:
        raise ProjectError(*found)
    # A pyproject.toml that is not about us is none of our business, broken or not.
    return read_toml(text, name) if marker in text else None


def _read_settings(disk: Disk, file: TomlFile, report: Report) -> Settings:
    shape = check_shape(SettingsShape, file.data, file.at, report).value or SettingsShape()
    if "name" not in file.data:
        report(missing_key("name", file.at(()), "it names the project wherever its rows are delivered"))
    return Settings(
        disk=disk,
        file=file,
        name=shape.name or disk.root.name,
        environments=tuple(dict.fromkeys(shape.environments)),
        default_env=shape.default_env or shape.environments[0],
        vars=shape.vars,
        engine=EngineSettings(
            threads=shape.threads, memory_limit=shape.memory_limit, concurrency=shape.concurrency
        ),
        warehouse=_read_warehouse(shape, file, report),
        test_paths=_read_test_paths(disk, shape, file, report),
        model_defaults=read_folder_defaults(disk, shape.models, file.at, report),
        lint=LintConfig(
            ignore=tuple(shape.lint.ignore),
            per_folder={folder: tuple(rules) for folder, rules in shape.lint.per_folder.items()},
            severity=shape.lint.severity,
            location=file.at(("lint",)),
        ),
    )


def _read_warehouse(shape: SettingsShape, file: TomlFile, report: Report) -> str:
    message = fix = ""
    names = {PurePosixPath(shape.warehouse.replace("{env}", env)).stem.lower() for env in shape.environments}
    if PurePosixPath(shape.warehouse).is_absolute():
        message = "the warehouse's path must be relative to the project"
    elif len(shape.environments) > 1 and "{env}" not in shape.warehouse:
        message = "several environments would write to one warehouse"
        fix = 'put {env} in its path, such as ".osiris/{env}.duckdb"'
    elif taken := sorted(names & TAKEN):
        message = f"the warehouse's file can't be called \"{taken[0]}\": a schema or catalog has that name"
        fix = 'such as ".osiris/{env}_warehouse.duckdb"'
    if not message:
        return shape.warehouse
    place = file.at(("warehouse",))
    report(Diagnostic(rule="invalid-value", message=message, location=place, fix=fix))
    return ".osiris/{env}.duckdb"


def _read_test_paths(disk: Disk, shape: SettingsShape, file: TomlFile, report: Report) -> tuple[str, ...]:
    if shape.test_paths is None:
        return ("tests",)
    for folder in shape.test_paths:
        if not disk.has_folder(folder):
            report(_missing_folder(folder, file.at(("test_paths",))))
    return tuple(shape.test_paths)


def _missing_folder(folder: str, location: Location) -> Diagnostic:
    return Diagnostic(rule="unknown-folder", message=f'there is no folder "{folder}"', location=location)
