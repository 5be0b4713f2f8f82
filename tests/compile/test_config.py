"""Configuration: weakest first folder defaults, YAML, then `config()` in the file."""

from typing import Any

import pytest
from compile.films import compiled, findings, model

from osiris_sql.compile.config import resolve_config
from osiris_sql.compile.rendering import ConfigValue
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import ModelConfig

HERE = Location(path="models/m.sql", line=1, column=4)


def resolve(yaml: dict[str, Any], given: dict[str, Any]) -> tuple[ModelConfig, list[str]]:
    values = {key: ConfigValue(value, HERE) for key, value in given.items()}
    config, found = resolve_config(model("m", "", **yaml), values)
    return config, [d.rule for d in found]


@pytest.mark.parametrize(
    ("yaml", "given", "expected"),
    [
        ({}, {}, {}),
        ({"materialized": "table"}, {}, {"materialized": "table"}),
        ({"materialized": "table"}, {"materialized": "view"}, {"materialized": "view"}),
        ({"materialized": None}, {}, {"materialized": "view"}),
        ({"tags": ["a"]}, {"tags": "b"}, {"tags": ("a", "b")}),
        ({"tags": ["a", "b"]}, {"tags": ["b", "c"]}, {"tags": ("a", "b", "c")}),
        ({"meta": {"x": 1}}, {"meta": {"y": [2]}}, {"meta": {"x": 1, "y": [2]}}),
        ({}, {"unique_key": "id"}, {"unique_key": ("id",), "incremental_strategy": "merge"}),
        ({}, {"unique_key": ("a", "b")}, {"unique_key": ("a", "b"), "incremental_strategy": "merge"}),
        (
            {"incremental_strategy": "append"},
            {"unique_key": "id"},
            {"unique_key": ("id",), "incremental_strategy": "append"},
        ),
        ({}, {"contract": {"enforced": True}}, {"contract": True}),
        ({}, {"enabled": False, "full_refresh": True}, {"enabled": False, "full_refresh": True}),
        ({}, {"determinism": "declared", "reason": "r"}, {"determinism": "declared", "reason": "r"}),
        ({}, {"clock": "day"}, {"clock": "day"}),
        ({"float_sums": "decimal(18,2)"}, {}, {"float_sums": "decimal(18,2)"}),
    ],
)
def test_layers_are_merged(yaml: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert resolve(yaml, given) == (ModelConfig(**expected), [])


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({"materialized": "tabel"}, ["invalid-value"]),
        ({"on_schema_change": "ignore"}, ["invalid-value"]),
        ({"float_sums": "DECIMAL(9, 10)"}, ["invalid-value"]),
        ({"float_sums": "DOUBLE"}, ["invalid-value"]),
        ({"pre_hook": "x"}, ["unknown-key"]),
        ({"tags": 1}, ["wrong-type"]),
        ({"meta": "x"}, ["wrong-type"]),
        ({"enabled": "yes"}, ["wrong-type"]),
        ({"materialized": "tabel", "x": 1, "tags": 2}, ["invalid-value", "unknown-key", "wrong-type"]),
        ({"materialized": "incremental", "incremental_strategy": "delete+insert"}, ["missing-key"]),
        ({"determinism": "declared", "reason": " "}, ["missing-reason"]),
    ],
)
def test_a_wrong_value_is_refused(given: dict[str, Any], rules: list[str]) -> None:
    assert sorted(resolve({}, given)[1]) == rules


def test_a_wrong_value_lists_the_allowed_ones() -> None:
    (found,) = compiled({"m": "{{ config(materialized='tabel') }} select 1"}).diagnostics
    assert "view, table, incremental, ephemeral" in found.message
    assert found.fix == 'did you mean "table"?'


def test_configuration_computed_by_jinja() -> None:
    manifest = compiled(
        {"m": "{% set kinds = ['table'] %}{{ config(materialized=kinds | first) }} select 1 as x"}
    )
    assert not findings(manifest)
    assert manifest.models[0].config.materialized == "table"
