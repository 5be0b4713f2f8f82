"""A small project in memory: models by name over one source, for tests of the compiler."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from osiris_sql.compile import compile_project
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import (
    ColumnSpec,
    DataTest,
    EngineSettings,
    ExtractConfig,
    LintConfig,
    MacroFile,
    Model,
    Project,
    Publication,
    SourceTable,
)
from osiris_sql.types.relation import Column, TableSchema

MOVIES = {
    "id": "BIGINT",
    "title": "VARCHAR",
    "released": "INTEGER",
    "director_id": "BIGINT",
    "budget": "DECIMAL(12,2)",
    "updated_at": "TIMESTAMP",
}
DIRECTORS = {"id": "BIGINT", "name": "VARCHAR"}


def source(name: str = "movies", extract: ExtractConfig | None = None) -> SourceTable:
    """Return a table of the source `cinema`."""
    return SourceTable(
        source="cinema",
        name=name,
        identifier=name,
        connection="cinema",
        extract=extract or ExtractConfig(),
        location=Location(path="sources.yml", line=3, column=5),
    )


def schema(columns: Mapping[str, str]) -> TableSchema:
    """Return a schema whose first column is its key."""
    first = next(iter(columns))
    made = (Column(name=name, type=type_, nullable=name != first) for name, type_ in columns.items())
    return TableSchema(columns=tuple(made), key=(first,))


def model(name: str, text: str, columns: tuple[ColumnSpec, ...] = (), **config: Any) -> Model:
    """Return a model file."""
    path = f"models/{name}.sql"
    place = Location(path=path, line=1, column=1)
    return Model(name=name, path=path, text=text, config=config, columns=columns, location=place)


def column(name: str, data_type: str | None = None, description: str = "") -> ColumnSpec:
    """Return a column as YAML describes it."""
    place = Location(path="models/models.yml", line=5, column=9)
    return ColumnSpec(name=name, data_type=data_type, description=description, location=place)


def publication(name: str, key: tuple[str, ...] = ()) -> Publication:
    """Return a publication of a model under its own name."""
    return Publication(
        target="app",
        table=name,
        model=name,
        connection="app",
        mode="replace",
        key=key,
        location=Location(path="targets.yml", line=6, column=11),
    )


def unique(node: str, column_name: str) -> tuple[DataTest, DataTest]:
    """Return the tests that make a column a key."""
    place = Location(path="models/models.yml", line=9, column=11)
    made = [
        DataTest(
            name=f"{t}_{column_name}", kind="generic", test=t, node=node, column=column_name, location=place
        )
        for t in ("unique", "not_null")
    ]
    return made[0], made[1]


def project(models: Mapping[str, str] | tuple[Model, ...], **changes: Any) -> Project:
    """Return a project of models, given as texts by name or whole."""
    if isinstance(models, Mapping):
        models = tuple(model(name, text) for name, text in models.items())
    macros = changes.pop("macros", {})
    defaults: dict[str, Any] = {
        "root": PurePosixPath("film").as_posix(),
        "name": "film",
        "env": "dev",
        "environments": ("dev",),
        "warehouse": ".osiris/dev.duckdb",
        "settings": EngineSettings(),
        "vars": {"first_year": 1990},
        "connections": (),
        "sources": (source("movies"), source("directors")),
        "models": models,
        "macros": tuple(MacroFile(path=f"macros/{name}.sql", text=text) for name, text in macros.items()),
        "data_tests": (),
        "unit_tests": (),
        "publications": (),
        "schemas": {"source:cinema.movies": schema(MOVIES), "source:cinema.directors": schema(DIRECTORS)},
        "lint": LintConfig(),
    }
    return Project(**{**defaults, **changes})


def compiled(models: Mapping[str, str] | tuple[Model, ...], **changes: Any) -> Manifest:
    """Return the manifest of such a project, compiled in an empty environment."""
    return compile_project(project(models, **changes), environ={})


def one(text: str, **changes: Any) -> CompiledModel:
    """Return the one model `m` of this text; it must compile."""
    manifest = compiled({"m": text}, **changes)
    assert not findings(manifest), findings(manifest)
    return manifest.models[0]


def findings(manifest: Manifest) -> list[str]:
    """Return the diagnostics in short: rule and place."""
    return [f"{d.rule} {d.location}" for d in manifest.diagnostics]


def columns(found: CompiledModel) -> dict[str, str]:
    """Return the types of a model's columns by name."""
    return {c.name: c.type for c in found.schema.columns}
