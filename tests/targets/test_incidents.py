"""What has happened to users, through the real `osiris-sql build`: never rows that are said to be there and
are not, never half of a delivery, and the next build works."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from servers.cutting_proxy import CuttingProxy
from servers.pgbouncer import SESSION
from servers.postgres import PASSWORD
from targets.publishing import Project, counted, words

A = [(1, "Alien"), (2, "Heat"), (3, "Fargo")]
B = [(1, "Alien"), (2, "Heat!"), (4, "Brazil")]
SYNC = "mode: sync, key: [id]"


@pytest.fixture
def project(database, tmp_path: Path) -> Project:
    return Project(tmp_path / "films", database, SYNC)


@pytest.fixture
def published(project) -> Project:
    """A has been published; B is to be."""
    done = project.rows(*A).build()
    assert done.exit_code == 0, done.output
    assert project.table() == A
    return project.rows(*B)


def trigger(body: str, event: str = "INSERT") -> str:
    """Return the DDL of a row trigger on film."""
    made = f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$;"
    return f"{made} CREATE TRIGGER acting BEFORE {event} ON film FOR EACH ROW EXECUTE FUNCTION act()"


MENDED = "DROP FUNCTION act CASCADE"
REFUSED = [
    # Zero rows after success.
    (trigger("RETURN NULL;"), MENDED, "were found", "acting"),
    (trigger("RETURN NULL;", "DELETE"), MENDED, "1 rows were to be deleted, but 0 were found", "acting"),
    (trigger("RETURN NULL;", "UPDATE"), MENDED, "were found", "acting"),
    (trigger("NEW.title = 'x'; RETURN NEW;"), MENDED, "were found", "acting"),
    # Two phases half done: rows are gone and changed when the last ones are refused.
    (
        "ALTER TABLE film ADD CONSTRAINT tidy CHECK (title <> 'Brazil')",
        "ALTER TABLE film DROP CONSTRAINT tidy",
        'constraint "tidy"',
        "Failing row contains (4, Brazil)",
    ),
    # A timeout of somebody else, or a person who cancels.
    (
        trigger("PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(9); RETURN NEW;"),
        MENDED,
        "cancelled by a timeout or a person",
        "SQLSTATE 57014",
    ),
    # What fails while it is being cleaned up after: the first error is shown, in our words.
    (trigger("RAISE EXCEPTION 'no films today';"), MENDED, "the database refused the rows", "no films today"),
]


@pytest.mark.parametrize(("ddl", "mend", "said", "why"), REFUSED)
def test_a_delivery_that_the_table_refuses_changes_nothing_and_works_when_mended(
    published, database, ddl, mend, said, why
):
    database.sql(ddl)
    done = published.build()
    assert done.exit_code == 1
    assert said in words(done)
    assert why in words(done)
    assert PASSWORD not in done.output
    assert published.table() == A
    assert published.deliveries() == 1
    database.sql(mend)
    assert published.build().exit_code == 0
    assert published.table() == B
    assert counted(published.facts()) == [1, 1, 1, 1]


def test_a_backend_that_dies_each_time_is_said_to_be_lost_and_nothing_is_changed(published, database):
    database.sql(trigger("PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW;"))
    done = published.build()
    assert done.exit_code == 1
    assert "the delivery failed each time; nothing was changed" in words(done)
    assert published.table() == A
    database.sql(MENDED)
    assert published.build().exit_code == 0
    assert published.table() == B


def test_duplicates_that_an_append_leaves_out_are_not_said_to_be_written(database, tmp_path):
    project = Project(tmp_path / "films", database, "mode: append, key: [id]")
    assert project.rows(*A).build().exit_code == 0
    assert project.rows(*A, (4, "Brazil")).build().exit_code == 0
    assert counted(project.facts()) == [1, 0, 0, 3]
    assert project.rows(*A[:2]).build().exit_code == 0
    assert counted(project.facts()) == [0, 0, 0, 2]
    assert len(project.table()) == 4


def test_an_append_goes_by_the_key_of_its_incremental_model(database, tmp_path):
    project = Project(tmp_path / "films", database, "mode: append")
    incremental = "materialized='incremental', unique_key='id'"
    for rows, after in ((A, A), (B, [*A, (4, "Brazil")])):
        model = project.rows(*rows).folder / "models" / "film.sql"
        model.write_text(model.read_text().replace("materialized='table'", incremental))
        done = project.build()
        assert done.exit_code == 0, done.output
        assert project.table() == after
    assert "append by id" in words(project.run("plan"))


def test_an_append_that_can_not_know_what_is_new_is_refused(database, tmp_path):
    project = Project(tmp_path / "films", database, "mode: append")
    done = project.rows(*A).build()
    assert done.exit_code == 2
    assert "nobody can tell which rows were already delivered" in words(done)
    assert database.sql("SELECT to_regclass('film')") == [(None,)]


def test_a_role_under_row_security_that_would_sync_is_refused_by_the_plan(published, database, postgres):
    database.sql(
        f"GRANT USAGE ON SCHEMA {database.schema}, osiris TO writer; GRANT ALL ON film TO writer;"
        "GRANT SELECT, INSERT ON osiris.publications TO writer;"
        "CREATE POLICY own ON film TO writer USING (true)"
    )
    published.environ["DSN"] = postgres.dsn("app", "writer")
    done = published.build()
    assert done.exit_code != 0
    assert 'row-level security hides rows from the role "writer"' in words(done)
    assert published.table() == A


def test_a_missing_grant_comes_with_the_statement_that_gives_it(published, database, postgres):
    database.sql(
        f"GRANT USAGE ON SCHEMA {database.schema}, osiris TO writer; GRANT SELECT, INSERT ON film TO writer;"
        "GRANT SELECT, INSERT ON osiris.publications TO writer; ALTER TABLE film DISABLE ROW LEVEL SECURITY"
    )
    published.environ["DSN"] = postgres.dsn("app", "writer")
    done = published.build()
    assert done.exit_code != 0
    grant = f'GRANT UPDATE, DELETE ON "{database.schema}"."film" TO "writer"'
    assert grant in words(done)
    database.sql(grant)
    assert published.build().exit_code == 0
    assert published.table() == B


def test_a_publishable_key_is_refused_before_anything_runs(database, tmp_path):
    project = Project(tmp_path / "films", database, SYNC, 'secret_key: "${KEY}"').rows(*A)
    project.environ["KEY"] = "sb_publishable_0123456789abcdef"
    done = project.build()
    assert done.exit_code != 0
    assert 'secret_key is a publishable key: it becomes the role "anon"' in words(done)
    assert "0123456789abcdef" not in done.output
    assert database.sql("SELECT to_regclass('film')") == [(None,)]


def test_a_direct_host_without_ipv4_names_the_pooler(project, monkeypatch):
    def only_v6(host, *rest, **more):
        return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 5432, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", only_v6)
    project.environ["DSN"] = f"postgresql://postgres:{PASSWORD}@db.abcdefghij.supabase.co:5432/postgres"
    done = project.rows(*A).build()
    assert done.exit_code == 3
    assert "has only an IPv6 address" in words(done)
    assert "pooler.supabase.com:5432/postgres" in words(done)
    assert PASSWORD not in done.output


def test_the_timeouts_of_role_and_database_do_not_hold_for_a_delivery(published, database, postgres):
    database.sql(trigger("PERFORM pg_sleep(0.2); RETURN NEW;"))
    postgres.run_sql("ALTER ROLE postgres IN DATABASE app SET statement_timeout = '100ms'")
    try:
        assert published.build().exit_code == 0
    finally:
        postgres.run_sql("ALTER ROLE postgres IN DATABASE app RESET statement_timeout")
    assert published.table() == B


@pytest.mark.parametrize("moment", [b"COPY ", b'INSERT INTO "', b"COMMIT\0"])
def test_a_dropped_link_is_found_out_through_the_ledger(published, postgres, moment):
    with CuttingProxy(postgres.port, moment) as proxy:
        published.environ["DSN"] = postgres.dsn("app", port=proxy.port) + "?sslmode=disable"
        done = published.build()
        assert proxy.cuts == 2
    assert done.exit_code == 0, done.output
    assert published.table() == B
    assert counted(published.facts()) == [1, 1, 1, 1]
    assert published.deliveries() == 2


def test_two_publishers_at_once_end_in_the_rows_of_one(database, tmp_path):
    projects = [Project(tmp_path / name, database, SYNC) for name in ("one", "two")]
    processes = [project.rows(*rows).start() for project, rows in zip(projects, (A, B), strict=True)]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert projects[0].table() in (A, B)
    assert projects[0].deliveries() == 2


SETTINGS = [
    ("mode: append, key: [id]", sorted([*A, (4, "Brazil")])),
    ("mode: upsert, key: [id]", [(1, "Alien"), (2, "Heat!"), (3, "Fargo"), (4, "Brazil")]),
    ("mode: replace, key: [id]", B),
    ("mode: replace", B),
    (SYNC, B),
]


THROUGH = [*((*each, "app") for each in SETTINGS), (SYNC, B, SESSION)]


@pytest.mark.parametrize(("settings", "after", "name"), THROUGH)
def test_every_mode_builds_through_a_pooler(database, pooler, tmp_path, settings, after, name):
    project = Project(tmp_path / "films", database, settings)
    project.environ["DSN"] = pooler.dsn(name)
    for rows, expected in ((A, A), (B, after), (B, after)):
        done = project.rows(*rows).build()
        assert done.exit_code == 0, done.output
        assert project.table() == expected
    assert project.facts()["already_published"]
    assert project.facts()["channel"] == "postgres"


def test_a_sync_of_nothing_new_reads_the_table_once_and_writes_nothing(published, database):
    assert published.build().exit_code == 0
    read = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0), n_tup_ins + n_tup_upd + n_tup_del"
    statistics = f"{read} FROM pg_stat_user_tables WHERE relid = 'film'::regclass"
    database.sql("SELECT pg_stat_force_next_flush()")
    [(before, wrote)] = database.sql(statistics)
    done = published.build()
    assert done.exit_code == 0
    assert "already published" in words(done)
    database.sql("SELECT pg_stat_force_next_flush()")
    [(after, written)] = database.sql(statistics)
    # Plan and run each look whether there is any row; the run counts them.
    assert after - before <= len(B) + 2
    assert written == wrote


def test_two_environments_on_one_database_do_not_meet(published, database):
    assert published.build("--env", "prod").exit_code == 0
    assert published.facts()["already_published"] is False
    prod = published.facts()["load_id"]
    assert published.build("--env", "dev").exit_code == 0
    assert published.facts()["load_id"] != prod
    assert published.table() == B


GUARDED = [
    ([], SYNC, "has no rows, so sync would empty film"),
    ([], "mode: replace", "has no rows, so replace would empty film"),
    (A[:1], SYNC, "2 of 3 rows would be deleted"),
    (A[:1], "mode: replace, key: [id]", "2 of 3 rows would be deleted"),
    ([*A, A[0]], SYNC, "does not identify the rows"),
]


@pytest.mark.parametrize(("rows", "settings", "said"), GUARDED)
def test_a_guard_keeps_the_rows(database, tmp_path, rows, settings, said):
    project = Project(tmp_path / "films", database, settings)
    assert project.rows(*A).build().exit_code == 0
    done = project.rows(*rows).build()
    assert done.exit_code == 1
    assert said in words(done)
    assert project.table() == A
