"""`doctor --bootstrap`: what it prints, what it installs, and who may call it."""

from __future__ import annotations

import pytest
from targets.delivering import films
from targets.supabase_table import Database
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

TARGETS = """
version: 2
connections:
  app: {type: supabase, dsn: "${DSN}", schema: own}
targets:
  - name: app
    tables:
      - {name: film, schema: api, mode: replace, key: id, create: true}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "film.sql").write_text("SELECT 1 AS id")
    (tmp_path / "pyproject.toml").write_text('[tool.osiris-sql]\nname = "films"\n')
    (tmp_path / "targets.yml").write_text(TARGETS)
    return tmp_path


def ask(project, *words):
    return CliRunner().invoke(make_app(), ["doctor", "--bootstrap", "--project-dir", str(project), *words])


def test_what_is_printed_installs_the_functions_twice_over(project, postgres, monkeypatch):
    dsn = postgres.create_database("printed")
    database = Database(dsn, "own")
    done = ask(project)
    assert done.exit_code == 0, done.output
    assert "VALUES ('api'), ('own') ON CONFLICT" in done.stdout
    for _ in range(2):
        database.sql(done.stdout)
    [(count,)] = database.sql("SELECT count(*) FROM pg_proc WHERE proname LIKE 'osiris\\_%'")
    assert count == 8


def test_install_runs_it_over_the_dsn(project, postgres, monkeypatch):
    monkeypatch.setenv("DSN", postgres.create_database("installed"))
    done = ask(project, "--install")
    assert done.exit_code == 0, done.output
    database = Database(postgres.dsn("installed"), "own")
    for role, may in (("anon", False), ("authenticated", False), ("service_role", True)):
        asked = f"SELECT bool_and(has_function_privilege('{role}', oid, 'EXECUTE')) FROM pg_proc"
        assert database.sql(f"{asked} WHERE proname LIKE 'osiris\\_%'") == [(may,)]
    assert database.sql("SELECT name FROM osiris.schemas ORDER BY 1") == [("api",), ("own",)]


@pytest.mark.parametrize("channel", ["rest"])
def test_a_schema_that_is_not_open_is_refused_with_the_statement(database, rows):
    from osiris_sql.types.diagnostic import StepError

    database.sql(f"DELETE FROM osiris.schemas WHERE name = '{database.schema}'")
    with pytest.raises(StepError) as caught:
        rows.deliver(database.target(), films((1, "Alien")))
    assert f"INSERT INTO osiris.schemas VALUES ('{database.schema}')" in caught.value.diagnostics[0].why
