"""Whatever stands in the files, loading ends in findings with a place, not in a crash."""

import json

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osiris_sql.support.wire import from_json, to_json
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.project import Project

WORDS = [
    *("version", "connections", "sources", "targets", "models", "unit_tests", "name", "tables", "columns"),
    *("type", "path", "password", "dev", "prod", "connection", "extract", "mode", "watermark", "key"),
    *("lookback", "freshness", "warn_after", "loaded_at_field", "data_type", "data_tests", "tests", "tags"),
    *("model", "append", "all", "max_deleted", "schema", "config", "materialized", "contract", "enforced"),
    *("given", "expect", "rows", "format", "input", "overrides", "environments", "columns", "cinema"),
    *("unique", "arguments", "severity", "where", "warn_if", "count", "period", "nullable", "meta"),
]
VALUES = [
    *("spy", "cinema", "movies", "director_stats", "dev", "full", "incremental", "upsert", "append", "csv"),
    *("1h", "id", "${NAME}", "${NAME:-x}", "a://b:c@d", "warn", "table", "n", "", "a.b", "day", "> 1"),
]
values = st.none() | st.booleans() | st.integers(-2, 3) | st.floats(0, 2) | st.sampled_from(VALUES)
words = st.sampled_from(WORDS)


def nested(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5)


anything = st.recursive(values, nested, max_leaves=25)


def entries(*keys):
    """Lists of mappings that hold mostly what they should."""
    return st.lists(
        st.fixed_dictionaries({"name": st.sampled_from(VALUES)}, optional=dict.fromkeys(keys, anything)),
        max_size=3,
    )


tables = entries("extract", "columns", "freshness", "data_tests", "mode", "key", "model", "tags", "append")
documents = anything | st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from([1, 2, "1"]),
        "connections": st.dictionaries(st.sampled_from(VALUES), anything, max_size=3),
        "sources": st.lists(st.fixed_dictionaries({"name": st.just("cinema"), "tables": tables}), max_size=2),
        "targets": st.lists(st.fixed_dictionaries({"name": st.just("app"), "tables": tables}), max_size=2),
        "models": entries("columns", "data_tests", "config"),
        "unit_tests": entries("model", "given", "expect", "overrides"),
        "environments": st.dictionaries(st.just("dev"), st.dictionaries(words, anything, max_size=2)),
    },
)
paths = st.sampled_from(["sources.yml", "targets.yml", "models/marts/marts.yml", "sources.lock"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(path=paths, document=documents, flow=st.booleans())
def test_any_yaml_loads(project, path, document, flow):
    project.restore()
    project.write(path, yaml.safe_dump(document, default_flow_style=flow))
    loaded = project.load()
    lines = (project.root / path).read_text().count("\n") + 1
    for found in loaded.diagnostics:
        assert found.location.line is not None
        assert found.location.path != path or 1 <= found.location.line <= lines
    assert from_json(Project, to_json(loaded)) == loaded


toml_values = st.recursive(
    st.booleans() | st.integers(-2, 3) | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
KEYS = [
    "name",
    "environments",
    "default_env",
    "threads",
    "memory_limit",
    "warehouse",
    "test_paths",
    "vars",
    "models",
    "lint",
    "models.marts.tags",
    "models.marts",
    "lint.ignore",
    "x",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.dictionaries(st.sampled_from(KEYS), toml_values, max_size=5))
def test_any_settings_load_or_are_refused(project, entries):
    lines = [f"{key} = {json.dumps(value)}" for key, value in entries.items()]
    project.write("pyproject.toml", "\n".join(["[tool.osiris-sql]", *lines]))
    try:
        diagnostics = project.load().diagnostics
    except ProjectError as error:
        diagnostics = error.diagnostics
    assert all(found.location.line for found in diagnostics)
