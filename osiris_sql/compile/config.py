"""A model's configuration: folder defaults and YAML under what `config()` says, each value checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from osiris_sql.compile.microbatch import batch_contradictions
from osiris_sql.compile.rendering import ConfigValue
from osiris_sql.compile.snapshot import history_contradictions
from osiris_sql.project.merged_config import merge_config
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import ModelConfig
from osiris_sql.types.noun import Json
from osiris_sql.types.project import Model

if TYPE_CHECKING:
    from osiris_sql.support.yamlfile import KeyPath

_LISTS = frozenset(name for name, hint in get_type_hints(ModelConfig).items() if get_origin(hint) is tuple)


def resolve_config(
    model: Model, given: Mapping[str, ConfigValue]
) -> tuple[ModelConfig, tuple[Diagnostic, ...]]:
    """Return the configuration of a model and what is wrong with it; a wrong value keeps its default.

    `given` are the values of `config()`. What YAML says was checked when the project was loaded.
    """
    diagnostics: list[Diagnostic] = []
    merged = merge_config(model.config, _checked(model, given, diagnostics))
    values: dict[str, Any] = {key: value for key, value in merged.items() if value is not None}
    values |= {key: tuple(value) for key, value in values.items() if key in _LISTS}
    values.setdefault("incremental_strategy", "merge" if values.get("unique_key") else "append")
    if values.get("materialized") == "snapshot":
        values.setdefault("on_schema_change", "append")
    config = ModelConfig(**values)
    diagnostics += _contradictions(config, lambda key: _place(model, given, key))
    return config, tuple(diagnostics)


def _checked(model: Model, given: Mapping[str, ConfigValue], found: list[Diagnostic]) -> dict[str, Json]:
    def locate(path: KeyPath, *, key: bool = False) -> Location:
        return _place(model, given, str(path[0])) if path else model.location

    if not given:
        return {}
    # Imported here: where no model has a config(), there is no need of pydantic.
    from osiris_sql.project.check import check_shape
    from osiris_sql.project.model_config import ConfigShape

    data = {key: _as_yaml(entry.value) for key, entry in given.items()}
    shape = check_shape(ConfigShape, data, locate, found.append).value
    return shape.given() if shape else {}


def _place(model: Model, given: Mapping[str, ConfigValue], key: str) -> Location:
    return given[key].location if key in given else model.location


def _as_yaml(value: Json) -> Json:
    """Return a value of Jinja as YAML would give it: lists, no tuples, plain text."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple):
        return [_as_yaml(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _as_yaml(item) for key, item in value.items()}
    return value


def _contradictions(config: ModelConfig, place: Any) -> list[Diagnostic]:
    found = [*history_contradictions(config, place), *batch_contradictions(config, place)]
    if config.merges and not config.unique_key:
        found.append(
            Diagnostic(
                rule="missing-key",
                message=f'the strategy "{config.incremental_strategy}" needs a unique_key',
                location=place("incremental_strategy"),
                fix="config(unique_key='…'), the columns that identify a row",
            )
        )
    if config.determinism == "declared" and not config.reason.strip():
        found.append(
            Diagnostic(
                rule="missing-reason",
                message="determinism is declared without a reason",
                location=place("determinism"),
                fix="config(determinism='declared', reason='why its answer is the same each time')",
            )
        )
    return found
