"""REST through the command line: two builds at once, an API that lags behind, plan --diff and its limits."""

from __future__ import annotations

import itertools
import json

import pytest
from servers.postgrest.management import TOKEN
from servers.postgrest.server import running_postgrest
from targets.delivering import refusal_of
from targets.publishing import Project, counted, words
from targets.supabase_table import Database
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

A = [(1, "Alien"), (2, "Heat"), (3, "Fargo")]
B = [(1, "Alien"), (2, "Heat!"), (4, "Brazil")]
KEYED = ["append", "upsert", "replace", "sync"]
SLOW = 1.5
_names = itertools.count()


@pytest.fixture
def channel() -> str:
    return "rest"


def lagging(postgres, name: str):
    """An API without functions that learns of a change only after a while, and an SQL endpoint beside it."""
    dsn = postgres.create_database(name)
    with running_postgrest(
        postgres.dsn(name, user="authenticator"), owner=dsn, reload_delay=SLOW, schemas=("public",)
    ) as server:
        database = Database(dsn, "unused", server.url, functions=False)
        database.schema = "public"
        yield database, server


@pytest.fixture
def late(postgres):
    yield from lagging(postgres, f"lagging{next(_names)}")


def open_project(tmp_path, late, settings: str, more: str = "") -> Project:
    database, server = late
    options = f'access_token: "${{TOKEN}}", sql_url: "{server.sql_url}"{more}'
    made = Project(tmp_path / "films", database, settings, options)
    made.environ["TOKEN"] = TOKEN
    return made


def test_two_publishers_at_once_end_in_the_rows_of_one(database, tmp_path):
    projects = [Project(tmp_path / name, database, "mode: sync, key: [id]") for name in ("one", "two")]
    processes = [project.rows(*rows).start() for project, rows in zip(projects, (A, B), strict=True)]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert projects[0].table() in (A, B)
    assert projects[0].deliveries() == 2


def test_an_api_that_does_not_know_the_new_table_or_column_yet_is_waited_for(late, tmp_path):
    project = open_project(tmp_path, late, "mode: upsert, key: [id]")
    done = project.rows(*A).build()
    assert (done.exit_code, project.table()) == (0, A), done.output
    done = project.rows(*A, more=", 7 AS n").build()
    assert done.exit_code == 0, done.output
    assert late[0].sql("SELECT DISTINCT n FROM film") == [(7,)]


def test_doctor_installs_the_functions_and_waits_until_the_api_knows_them(late, tmp_path):
    project = open_project(tmp_path, late, "mode: sync, key: [id]")
    assert "without osiris-sql's functions" in words(project.rows(*A).run("plan"))
    done = project.run("doctor", "--bootstrap", "--install")
    assert done.exit_code == 0, done.output
    assert "channel: rest, through osiris-sql's functions" in words(project.run("plan"))
    assert project.build().exit_code == 0
    assert (project.table(), project.deliveries()) == (A, 1)


@pytest.mark.parametrize("mode", KEYED)
def test_without_functions_the_rows_are_read_and_compared(late, tmp_path, mode):
    project = open_project(tmp_path, late, f"mode: {mode}, key: [id]", ", atomic: false")
    assert project.rows(*A).build().exit_code == 0
    assert project.rows(*B).build("--select", "film").exit_code == 0
    [told] = json.loads(project.run("plan", "--diff", "--json").stdout)["differences"]
    assert project.table() == A
    assert project.build().exit_code == 0
    inserted, updated, deleted, unchanged = counted(project.facts())
    found = [told["difference"][name] for name in ("inserted", "updated", "deleted", "unchanged")]
    # A delivery writes equal rows too, for it does not know them.
    assert found == [inserted, 1 if updated else 0, deleted, 3 - inserted - (1 if updated else 0)]
    assert (updated + unchanged, len(told["difference"]["samples"])) == (2, sum(found[:3]))


TYPES = (
    "SELECT 1 AS id, {0}::DECIMAL(38,20) AS d, {1}::DOUBLE AS f, TIMESTAMPTZ '{2}' AS at, [{3}] AS l,"
    " DATE '1900-01-01' AS day, {4} AS b, '\\xAA'::BLOB AS x, 'é' AS t"
)
SAME = TYPES.format("1.10", "0.1", "2026-01-31 12:00:00.5+00", "1.50", "true")
OTHER = [
    TYPES.format(*values)
    for values in (
        ("1.11", "0.1", "2026-01-31 12:00:00.5+00", "1.50", "true"),
        ("1.10", "0.30000000000000004", "2026-01-31 12:00:00.5+00", "1.50", "true"),
        ("1.10", "0.1", "2026-01-31 12:00:00.500001+00", "1.50", "true"),
        ("1.10", "0.1", "2026-01-31 12:00:00.5+00", "1.51", "true"),
        ("1.10", "0.1", "2026-01-31 12:00:00.5+00", "1.50", "NULL::BOOLEAN"),
    )
]


@pytest.fixture(scope="module")
def plain(postgres):
    for database, server in lagging(postgres, "compared"):
        yield database, {"access_token": TOKEN, "sql_url": server.sql_url}


@pytest.mark.parametrize(("sql", "updated"), [(SAME, 0), *((sql, 1) for sql in OTHER)])
def test_values_are_compared_and_not_their_spelling(plain, rows, sql, updated):
    database, options = plain
    more = {"mode": "upsert", "table": "spelled"}
    rows.deliver(database.target(**options), SAME, **more)
    publication, target = rows.publication(sql, **more), database.target(**options)
    found = target.compare(publication, rows.load(target, publication, sql), 5)
    assert (found.updated, found.unchanged, len(found.samples)) == (updated, 1 - updated, updated)


def test_what_only_postgresql_can_compare_is_not_guessed(plain, rows):
    database, options = plain
    sql = "SELECT 1 AS id, INTERVAL 1 DAY AS span"
    rows.deliver(database.target(**options), sql, mode="upsert", table="spans")
    publication, target = rows.publication(sql, mode="upsert", table="spans"), database.target(**options)
    load = rows.load(target, publication, sql)
    found = refusal_of(lambda: target.compare(publication, load, 5))
    assert (found.rule, "span" in found.why) == ("no-comparison", True)


@pytest.mark.parametrize("fits", [True, False])
def test_comparing_leaves_nothing_staged_and_can_not_write(database, rows, fits):
    database.sql(
        "CREATE TABLE film (id int PRIMARY KEY, n numeric(4,1)); INSERT INTO film VALUES (1, 1.5), (2, 2);"
        "GRANT ALL ON film TO service_role"
    )
    staged = database.sql("SELECT count(*) FROM osiris.staged")
    sql = f"SELECT 1::INTEGER AS id, {'1.4' if fits else '1.45'}::DECIMAL(6,2) AS n"
    publication, target = rows.publication(sql, mode="sync", max_deleted=1.0), database.target()
    load = rows.load(target, publication, sql)
    if fits:
        found = target.compare(publication, load, 5)
        assert (found.inserted, found.updated, found.deleted) == (0, 1, 1)
    else:
        assert refusal_of(lambda: target.compare(publication, load, 5)).rule == "value-does-not-fit"
    assert database.sql("SELECT count(*) FROM osiris.staged") == staged
    assert database.sql("SELECT id, n::text FROM film ORDER BY 1") == [(1, "1.5"), (2, "2.0")]
    assert database.sql("SELECT provolatile FROM pg_proc WHERE proname = 'osiris_compare'") == [("s",)]


def test_a_key_of_the_wrong_kind_is_told_by_the_plan(database, tmp_path):
    project = Project(tmp_path / "films", database, "mode: sync, key: [id]")
    project.rows(*A)
    publishable = {**project.environ, "KEY": "sb_publishable_4Jm3xV_1aQ9"}
    done = CliRunner().invoke(make_app(), ["plan", "--project-dir", str(project.folder)], env=publishable)
    assert done.exit_code != 0
    assert "4Jm3xV" not in done.output
