"""JSON Schemas say of each file what the loader says of it."""

import dataclasses
import json

import pytest

from osiris_sql.project.model_config import ConfigShape
from osiris_sql.project.schemas import json_schemas
from osiris_sql.types.manifest import ModelConfig


@pytest.mark.parametrize("name", ["settings", "sources", "targets", "models", "lock"])
def test_each_file_has_a_schema_that_refuses_unknown_keys(name):
    schema = json_schemas()[name]
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
    assert all(d.get("additionalProperties") is False for d in schema.get("$defs", {}).values())


def test_a_schema_describes_what_people_write_not_what_becomes_of_it():
    definitions = json_schemas()["sources"]["$defs"]
    lookback = definitions["ExtractShape"]["properties"]["lookback"]
    assert {"type": "string", "pattern": "^\\d+ ?[smhdw]$"} in lookback["anyOf"]
    assert definitions["TableShape"]["properties"]["tags"]["anyOf"][0] == {"type": "string"}
    assert "schema" in json_schemas()["targets"]["$defs"]["TargetTableShape"]["properties"]


def test_yaml_may_configure_what_models_have():
    assert set(ConfigShape.model_fields) == {field.name for field in dataclasses.fields(ModelConfig)}
