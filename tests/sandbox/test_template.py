"""The template has what runs here, in the same versions, and its name says so."""

from importlib.metadata import version

import pytest

from osiris_sql import api
from osiris_sql.launchers.e2b import options
from osiris_sql.types.diagnostic import UnreachableError


@pytest.fixture
def named(environ):
    return {name: value for name, value in environ.items() if name != "OSIRIS_E2B_TEMPLATE"}


def test_a_missing_template_is_built_once_with_the_versions_that_run_here(server, named):
    name, built = api.make_template(named)
    assert (name, built) == (options.template_name(), True)
    [recipe] = server.builds.values()
    steps = " ".join(" ".join(step["args"]) for step in recipe["steps"])
    assert recipe["fromImage"] == f"python:{options.python_version()}"
    assert f"duckdb=={version('duckdb')}" in steps
    assert (recipe["cpuCount"], recipe["memoryMB"]) == (2, 4096)
    assert api.make_template(named) == (name, False)
    assert len(server.builds) == 1


def test_another_version_is_another_template(monkeypatch):
    before = options.template_name()
    monkeypatch.setattr(options, "packages", lambda: {"duckdb": "1.0"})
    assert options.template_name() != before


def test_a_build_that_fails_is_said(server, environ):
    with pytest.raises(UnreachableError) as failed:
        api.make_template({**environ, "OSIRIS_E2B_TEMPLATE": "failing"})
    assert failed.value.diagnostics[0].rule == "e2b-template-build"
    assert "pip failed" in failed.value.diagnostics[0].why
