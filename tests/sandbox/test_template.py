"""The template has what runs here, in the same versions, and its name says so."""

import io
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from osiris_sql import api
from osiris_sql.launchers.e2b import packages
from osiris_sql.types.diagnostic import ProjectError, UnreachableError


@pytest.fixture
def named(environ):
    return {name: value for name, value in environ.items() if name != "OSIRIS_E2B_TEMPLATE"}


def recipe_of(server):
    """The last build: its image, its commands, and the lock that was sent for it."""
    recipe = list(server.builds.values())[-1]
    copied = next(step for step in recipe["steps"] if step["type"] == "COPY")
    with tarfile.open(fileobj=io.BytesIO(server.uploads[copied["filesHash"]])) as tar:
        lock = tar.extractfile("lock.txt").read().decode()
    commands = [" ".join(step["args"]) for step in recipe["steps"] if step["type"] == "RUN"]
    return recipe, commands, lock


def test_a_missing_template_is_built_once_with_the_versions_that_run_here(server, named):
    name, built = api.make_template(named)
    assert (name, built) == (packages.name_template(packages.lock_text()), True)
    recipe, [command], lock = recipe_of(server)
    assert recipe["fromImage"] == f"python:{packages.python_version()}"
    assert command.startswith("pip install --no-cache-dir -r ")
    assert f"duckdb=={version('duckdb')}\n" in lock
    # What osiris-sql needs, and what that needs in turn.
    assert f"pydantic-core=={version('pydantic-core')}\n" in lock
    assert "pytest" not in lock
    assert (recipe["cpuCount"], recipe["memoryMB"]) == (2, 4096)
    assert api.make_template(named) == (name, False)
    assert len(server.builds) == 1


def test_a_lock_with_hashes_is_installed_with_every_hash_required_and_names_the_template(server, named):
    lock = Path(__file__).parents[2] / "requirements" / "runtime.txt"
    locked = {**named, "OSIRIS_E2B_LOCK": str(lock)}
    name, built = api.make_template(locked)
    assert (name, built) == (packages.name_template(lock.read_text()), True)
    _, [command], sent = recipe_of(server)
    assert command.startswith("pip install --no-cache-dir --require-hashes -r ")
    assert sent == lock.read_text()
    assert name != packages.name_template(packages.lock_text())


def test_another_version_or_python_is_another_template(monkeypatch):
    before = packages.name_template("duckdb==2.0.0\n")
    assert packages.name_template("duckdb==2.0.1\n") != before
    monkeypatch.setattr(packages, "python_version", lambda: "3.99")
    assert packages.name_template("duckdb==2.0.0\n") != before


def test_a_lock_that_is_not_there_is_said(named):
    with pytest.raises(ProjectError) as failed:
        api.make_template({**named, "OSIRIS_E2B_LOCK": "/nowhere/lock.txt"})
    assert failed.value.diagnostics[0].rule == "bad-option"


def test_a_build_that_fails_is_said(server, environ):
    with pytest.raises(UnreachableError) as failed:
        api.make_template({**environ, "OSIRIS_E2B_TEMPLATE": "failing"})
    assert failed.value.diagnostics[0].rule == "e2b-template-build"
    assert "pip failed" in failed.value.diagnostics[0].why
