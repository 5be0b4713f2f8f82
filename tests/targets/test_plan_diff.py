"""`osiris-sql plan --diff`: what each publication would change, from the rows that are built."""

from __future__ import annotations

import json
import signal
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import psycopg2
import pytest
from targets.either_channel import channel  # noqa: F401 (every test runs over both)
from targets.publishing import Project, counted, words

from osiris_sql import api

A = [(1, "Alien"), (2, "Heat"), (3, "Fargo")]
B = [(1, "Alien"), (2, "Heat!"), (4, "Brazil")]
KEYED = ["append", "upsert", "replace", "sync"]


def differences(project: Project, *more: str) -> list[dict]:
    done = project.run("plan", "--diff", "--json", *more)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["differences"]


def built(project: Project, *rows) -> Project:
    """Build the model alone: its table is behind."""
    done = project.rows(*rows).build("--select", "film")
    assert done.exit_code == 0, done.output
    return project


@pytest.fixture
def project(database, tmp_path: Path) -> Project:
    return Project(tmp_path / "films", database, "mode: sync, key: [id]")


@pytest.mark.parametrize("settings", [*(f"mode: {mode}, key: [id]" for mode in KEYED), "mode: replace"])
def test_what_is_told_is_what_the_build_then_does(database, tmp_path, settings):
    project = Project(tmp_path / "films", database, settings)
    assert project.rows(*A).build().exit_code == 0
    [told] = differences(built(project, *B))
    assert project.table() == A
    assert project.deliveries() == 1
    assert project.build().exit_code == 0
    names = ("inserted", "updated", "deleted", "unchanged")
    assert [told["difference"][name] for name in names] == counted(project.facts())


def test_people_see_counts_and_rows(project):
    assert project.rows(*A).build().exit_code == 0
    done = built(project, *B).run("plan", "--diff")
    assert done.exit_code == 0, done.output
    said = words(done)
    assert "app.film sync: 1 to insert, 1 to update, 1 to delete, 1 unchanged" in said
    assert "(the model has 3 rows, the table 3)" in said
    assert "+ id=4 title=Brazil" in said
    assert "~ id=2 title: Heat → Heat!" in said
    assert "- id=3 title=Fargo" in said


@pytest.mark.parametrize("channel", ["postgres"])
def test_ctrl_c_ends_a_comparison_that_waits(database, tmp_path):
    project = Project(tmp_path / "films", database, "mode: sync, key: [id]", "lock_timeout: 600")
    assert project.rows(*A).build().exit_code == 0
    manifest = api.compile_project(api.load_project(project.folder))
    plan = api.make_plan(manifest, api.observe_world(manifest, project.environ))
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'film'::regclass"
    with closing(psycopg2.connect(database.dsn)) as other:
        other.cursor().execute(f"LOCK TABLE {database.schema}.film")

        def press() -> None:
            while database.sql(waiting) == [(0,)]:
                time.sleep(0.02)
            signal.raise_signal(signal.SIGINT)

        thread = Thread(target=press)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            api.diff_publications(plan, project.folder, project.environ)
        thread.join()


def test_the_plan_prints_the_statements_that_make_and_change_a_table(project, database):
    said = words(project.rows(*A).run("plan"))
    name = f'"{database.schema}"."film"'
    for statement in (
        f'CREATE TABLE {name} ( "id" integer NOT NULL, "title" text );',
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;",
        f'ALTER TABLE {name} ADD PRIMARY KEY ("id");',
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO service_role;",
        "NOTIFY pgrst, 'reload schema';",
    ):
        assert statement in said
    assert project.build().exit_code == 0
    said = words(project.rows(*A, more=", TIMESTAMP_NS '2026-01-31' AS at").run("plan"))
    assert f'ALTER TABLE {name} ADD COLUMN "at" timestamp without time zone;' in said
    assert "a value with nanoseconds is refused: at" in said


def test_a_table_that_is_to_be_made_gets_every_row(project, database):
    [told] = differences(built(project, *A))
    assert (told["rows"], told["difference"]["inserted"]) == (3, 3)
    assert [change["after"]["title"] for change in told["difference"]["samples"]] == [
        "Alien",
        "Heat",
        "Fargo",
    ]
    assert database.sql("SELECT to_regclass('film')") == [(None,)]


def test_a_column_that_will_be_added_is_compared_as_null(project, database):
    assert project.rows(*A).build().exit_code == 0
    built(project.rows(*A, more=", id > 1 AS late"), *A)
    project.rows(*A, more=", CASE WHEN id > 1 THEN 'yes' END AS late").build("--select", "film")
    [told] = differences(project)
    assert [told["difference"][n] for n in ("updated", "unchanged")] == [2, 1]
    assert told["difference"]["samples"][0]["after"] == {"late": "yes"}
    asked = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'film'::regclass AND attnum > 0"
    assert database.sql(asked) == [(2,)]


def test_a_model_that_is_not_built_is_said_to_be(project):
    [told] = differences(project.rows(*A))
    assert (told["difference"], told["why"]) == (None, "film is not built yet")


def test_a_stale_model_is_compared_as_it_stands_and_said_to_be_stale(project):
    assert project.rows(*A).build().exit_code == 0
    [told] = differences(project.rows(*B))
    assert told["difference"]["unchanged"] == 3
    assert told["notes"] == [
        "compared are the rows of the last build; film may be built again: SQL or configuration changed"
    ]


def test_a_model_whose_columns_changed_since_is_not_compared(project):
    assert project.rows(*A).build().exit_code == 0
    [told] = differences(project.rows(*A, more=", 7 AS n"))
    assert (told["difference"], told["why"]) == (None, "the columns of film have changed since it was built")


@pytest.mark.parametrize(
    ("rows", "rule"), [(A[:1], "too-many-deleted"), ([], "empty-publication"), ([*A, A[0]], "key-not-unique")]
)
def test_a_guard_that_would_refuse_is_named(project, rows, rule):
    assert project.rows(*A).build().exit_code == 0
    [told] = differences(built(project, *rows))
    refusals = [*told["refusals"], *(told["difference"] or {"refusals": []})["refusals"]]
    assert [refused["rule"] for refused in refusals] == [rule]


@pytest.mark.parametrize("channel", ["postgres"])
def test_the_server_itself_refuses_a_write_while_comparing(database, rows, monkeypatch):
    import psycopg2
    from targets.delivering import films

    from osiris_sql.targets.supabase import difference
    from osiris_sql.types.diagnostic import StepError

    rows.deliver(database.target(), films(*A))
    publication = rows.publication(films(*B), mode="sync")
    load, fill = rows.load(database.target(), publication, films(*B)), difference.fill_stage

    def write_too(cursor, *rest) -> None:
        fill(cursor, *rest)
        cursor.execute(f"DELETE FROM {database.schema}.film")

    monkeypatch.setattr(difference, "fill_stage", write_too)
    with pytest.raises(StepError) as caught:
        database.target().compare(publication, load, 5)
    assert caught.value.diagnostics[0].rule == "read-only-database"
    assert isinstance(caught.value.__context__, psycopg2.errors.ReadOnlySqlTransaction)
