"""Incidents over REST, through `osiris-sql build`: what went wrong is told; no success without its rows."""

from __future__ import annotations

import itertools
import threading
import time

import httpx
import pytest
from servers.postgrest.server import PUBLISHABLE_KEY, SECRET_KEY, running_postgrest
from targets.apply_limit import applying_within
from targets.delivering import films
from targets.supabase_table import Database, install
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

OLD, NEW = films((1, "Alien"), (2, "Heat")), films((1, "Alien"), (2, "Heat!"), (3, "Fargo"))
TARGETS = """
version: 2
connections:
  app: {{type: supabase, url: "${{APP_URL}}", secret_key: "${{APP_KEY}}", schema: {schema}{more}}}
targets:
  - name: app
    tables:
      - {{name: {table}, model: film, mode: {mode}, key: id, create: true}}
"""
_names = itertools.count()


class Incident:
    """A project with one publication, and the database behind the API."""

    def __init__(self, root, database: Database, server, monkeypatch) -> None:
        self.root, self.database, self.server = root, database, server
        self.table = f"film{next(_names)}"
        (root / "models").mkdir()
        (root / "pyproject.toml").write_text('[tool.osiris-sql]\nname = "films"\n')
        monkeypatch.setenv("APP_URL", server.url)
        monkeypatch.setenv("APP_KEY", SECRET_KEY)
        self.targets()

    def targets(self, mode="sync", schema="public", more="") -> None:
        text = TARGETS.format(mode=mode, schema=schema, more=more, table=self.table)
        (self.root / "targets.yml").write_text(text)

    def build(self, rows: str, *words: str) -> tuple[int, str]:
        """Return exit code and all that was said, in one line."""
        (self.root / "models" / "film.sql").write_text(rows)
        done = CliRunner().invoke(make_app(), ["build", "--project-dir", str(self.root), *words])
        return done.exit_code, " ".join(done.output.replace("│", " ").split())

    def ask(self, *words: str) -> str:
        done = CliRunner().invoke(make_app(), [*words, "--project-dir", str(self.root)])
        return " ".join(done.output.split())

    def card(self) -> str:
        """Return the last run card, without blanks."""
        cards = self.root.rglob("run_card.json")
        return max(cards, key=lambda path: path.stat().st_mtime_ns).read_text().replace(": ", ":")

    def rows(self) -> list[tuple]:
        return self.database.sql(f"SELECT id, title FROM {self.table} ORDER BY 1")

    def swallow(self) -> None:
        self.database.sql(
            "CREATE OR REPLACE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NULL; END';"
            f"CREATE TRIGGER swallow BEFORE INSERT ON {self.table} FOR EACH ROW EXECUTE FUNCTION swallow()"
        )

    def make(
        self, ddl: str = "CREATE TABLE {0} (id int PRIMARY KEY, title text); GRANT ALL ON {0} TO service_role"
    ):
        self.database.sql(ddl.format(self.table))
        until = time.monotonic() + 10
        while ("public", self.table) not in self.server.cache.tables:
            assert time.monotonic() < until
            time.sleep(0.02)


def served(postgres, name: str, *, functions: bool):
    dsn = postgres.create_database(name)
    if functions:
        install(dsn)
    with running_postgrest(postgres.dsn(name, user="authenticator"), owner=dsn) as server:
        database = Database(dsn, "hidden", server.url, functions=False)
        database.schema = "public"
        yield database, server


@pytest.fixture(scope="module")
def bootstrapped(postgres):
    yield from served(postgres, "incidents", functions=True)


@pytest.fixture(scope="module")
def bare(postgres):
    yield from served(postgres, "bare_incidents", functions=False)


@pytest.fixture
def functions(bootstrapped, tmp_path, monkeypatch):
    """Tier A: with osiris-sql's functions."""
    yield Incident(tmp_path, *bootstrapped, monkeypatch)
    bootstrapped[1].faults.clear()


@pytest.fixture
def plain(bare, tmp_path, monkeypatch):
    """Tier B: without them, in several transactions."""
    made = Incident(tmp_path, *bare, monkeypatch)
    made.targets(more=", atomic: false")
    yield made
    bare[1].faults.clear()


def test_the_channel_is_said_in_the_plan_and_in_the_run_card(functions):
    (functions.root / "models" / "film.sql").write_text(OLD)
    assert "channel: rest, through osiris-sql's functions" in functions.ask("plan")
    functions.build(OLD)
    assert '"channel":"rest"' in functions.card()


@pytest.mark.parametrize("tier", ["functions", "plain"])
def test_a_trigger_that_returns_null_is_no_success(request, tier):
    incident = request.getfixturevalue(tier)
    incident.make()
    incident.swallow()
    code, said = incident.build(NEW)
    assert (code, incident.rows()) == (1, [])
    assert "trigger" in said
    incident.database.sql(f"DROP TRIGGER swallow ON {incident.table}")
    assert incident.build(NEW)[0] == 0
    assert len(incident.rows()) == 3


def test_a_publishable_key_is_refused_before_anything_is_sent(functions, monkeypatch):
    monkeypatch.setenv("APP_KEY", PUBLISHABLE_KEY)
    asked = len(functions.server.seen)
    code, said = functions.build(OLD)
    assert (code != 0, "publishable" in said, PUBLISHABLE_KEY in said) == (True, True, False)
    assert len(functions.server.seen) == asked


def test_a_policy_that_hides_rows_does_not_bind_the_service(functions):
    functions.build(OLD)
    functions.database.sql(f"CREATE POLICY none ON {functions.table} USING (false)")
    assert functions.build(NEW)[0] == 0
    assert functions.rows() == [(1, "Alien"), (2, "Heat!"), (3, "Fargo")]


@pytest.mark.parametrize("tier", ["functions", "plain"])
def test_ignored_duplicates_are_counted_as_unchanged(request, tier):
    incident = request.getfixturevalue(tier)
    incident.make()
    incident.targets(mode="append", more=", atomic: false")
    assert incident.build(OLD)[0] == 0
    code, _ = incident.build(NEW)
    assert (code, incident.rows()) == (0, [(1, "Alien"), (2, "Heat"), (3, "Fargo")])
    assert ('"inserted":1' in incident.card(), '"unchanged":2' in incident.card()) == (True, True)


def test_a_schema_that_is_not_exposed_is_named(plain):
    plain.targets(schema="hidden", more=", atomic: false")
    code, said = plain.build(OLD)
    assert (code != 0, "public, graphql_public" in said) == (True, True)


def test_a_missing_grant_is_printed(plain):
    plain.make("CREATE TABLE {0} (id int PRIMARY KEY, title text)")
    code, said = plain.build(OLD)
    assert code != 0
    assert f'GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."{plain.table}" TO service_role' in said


def test_a_statement_that_takes_too_long_is_told_with_the_way_out(functions):
    functions.build(OLD)
    functions.database.sql(
        "CREATE OR REPLACE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_sleep(9); RETURN NEW; END';"
        f"CREATE TRIGGER slowly BEFORE INSERT ON {functions.table} FOR EACH ROW EXECUTE FUNCTION slowly()"
    )
    with applying_within("300ms", functions.database, functions.server):
        code, said = functions.build(NEW)
    assert (code, "dsn" in said, functions.rows()) == (1, True, [(1, "Alien"), (2, "Heat")])


@pytest.mark.parametrize("tier", ["functions", "plain"])
@pytest.mark.parametrize("what", ["drop before", "drop after"])
def test_a_link_that_drops_in_the_middle_changes_no_row_twice(request, tier, what):
    incident = request.getfixturevalue(tier)
    incident.make()
    incident.build(OLD)
    incident.server.faults.add(
        what, method="POST", path="osiris_apply" if tier == "functions" else incident.table
    )
    assert incident.build(NEW)[0] == 0
    assert incident.rows() == [(1, "Alien"), (2, "Heat!"), (3, "Fargo")]


def test_a_link_that_stays_down_fails_and_the_next_build_ends_it(functions):
    functions.build(OLD)
    functions.server.faults.add("drop after", path="osiris_apply", times=99)
    code, said = functions.build(NEW)
    assert (code != 0, "again" in said) == (True, True)
    functions.server.faults.clear()
    code, _ = functions.build(NEW)
    assert (code, functions.rows()) == (0, [(1, "Alien"), (2, "Heat!"), (3, "Fargo")])
    assert '"already_published":true' in functions.card()


def crash(*arguments: object, **more: object) -> None:
    raise TypeError("close() got an unexpected keyword argument 'timeout'")


def test_a_clean_up_that_crashes_hides_no_success_and_no_failure(functions, monkeypatch):
    close = httpx.Client.close
    monkeypatch.setattr(httpx.Client, "close", lambda client: (close(client), crash()))
    assert functions.build(OLD)[0] == 0
    functions.swallow()
    code, said = functions.build(films((7, "Up"), (1, "Alien"), (2, "Heat")))
    assert (code, "trigger" in said, "keyword argument" in said) == (1, True, False)


def test_whatever_the_client_raises_is_told(functions, monkeypatch):
    functions.build(OLD)
    monkeypatch.setattr(httpx.Client, "request", crash)
    code, said = functions.build(NEW)
    assert (code != 0, "unexpected keyword argument" in said) == (True, True)
    assert functions.rows() == [(1, "Alien"), (2, "Heat")]


def test_two_publishers_at_once_leave_one_table_of_one_of_them(bootstrapped, rows):
    database, _ = bootstrapped
    table = f"film{next(_names)}"
    many = "SELECT i::INTEGER AS id, '{}' AS title FROM range({}) AS r(i)"
    loads = [(many.format(name, count), name, count) for name, count in (("left", 3000), ("right", 2000))]
    made = []
    for sql, name, _ in loads:
        target, publication = (
            database.target(),
            rows.publication(sql, table=table, mode="sync", max_deleted=1.0),
        )
        made.append((target, publication, rows.load(target, publication, sql, name)))
    failed: list[Exception] = []

    def run(target, publication, load) -> None:
        try:
            target.publish(publication, load, lambda count, words: None)
        except Exception as error:  # noqa: BLE001 (a thread's error is shown by the assertion)
            failed.append(error)

    threads = [threading.Thread(target=run, args=each) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    found = database.sql(f"SELECT title, count(*) FROM {table} GROUP BY 1")
    assert found in ([("left", 3000)], [("right", 2000)])
    ledger = f'SELECT count(*) FROM osiris.publications WHERE target = \'"public"."{table}"\''
    assert database.sql(ledger) == [(2,)]
