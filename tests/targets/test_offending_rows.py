"""What a table refuses is said with the first row that it is about, whichever way the rows went in."""

from __future__ import annotations

import pytest
from servers.cutting_proxy import CuttingProxy
from servers.postgrest.server import running_postgrest
from targets.delivering import films, refusal_of
from targets.either_channel import channel  # noqa: F401
from targets.supabase_table import Database, install

from osiris_sql.types.diagnostic import StepError

OLD = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
NEW = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"), (5, "Alien"))
RAISING = (
    "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS"
    " $$BEGIN IF NEW.id = 4 THEN RAISE EXCEPTION 'not that one'; END IF; RETURN NEW; END$$;"
)
ANSWERS = (
    "CREATE TABLE answers (t text PRIMARY KEY); INSERT INTO answers VALUES ('Alien'), ('Heat'), ('Fargo');"
)
REFUSING = [
    ("ALTER TABLE film ADD CONSTRAINT tidy CHECK (title <> 'Brazil')", "check-violation", 4),
    ("ALTER TABLE film ADD CONSTRAINT one UNIQUE (title)", "unique-violation", 5),
    ("CREATE UNIQUE INDEX one ON film (lower(title))", "unique-violation", 5),
    ("ALTER TABLE film ADD CONSTRAINT one EXCLUDE (title WITH =)", "exclusion-violation", 5),
    ("ALTER TABLE film ADD CHECK (title <> 'Heat!')", "check-violation", 2),
    ("ALTER TABLE film ALTER title TYPE varchar(5)", "value-does-not-fit", 4),
    (f"{ANSWERS} ALTER TABLE film ADD FOREIGN KEY (title) REFERENCES answers", "foreign-key-violation", 2),
    (
        f"{ANSWERS} ALTER TABLE film ADD FOREIGN KEY (title) REFERENCES answers INITIALLY DEFERRED",
        *("foreign-key-violation", 2),
    ),
    (
        f"{RAISING} CREATE TRIGGER acting BEFORE INSERT ON film FOR EACH ROW EXECUTE FUNCTION act()",
        *("raised-in-database", 4),
    ),
    (
        f"{RAISING} CREATE CONSTRAINT TRIGGER acting AFTER INSERT ON film INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION act()",
        *("raised-in-database", 4),
    ),
]


KEEPING = (
    "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
    " $$BEGIN IF OLD.id = 3 THEN RAISE EXCEPTION 'that one stays'; END IF; RETURN OLD; END$$;"
    "CREATE {} ON {} {} FOR EACH ROW EXECUTE FUNCTION keep()"
)


@pytest.mark.parametrize("before", ["empty", "filled"])
@pytest.mark.parametrize("mode", ["upsert", "sync"])
@pytest.mark.parametrize(("ddl", "rule", "row"), REFUSING)
def test_the_first_refused_row_is_named(database, rows, before, mode, ddl, rule, row):
    database.sql("CREATE TABLE film (id integer PRIMARY KEY, title text)")
    if before == "filled":
        rows.deliver(database.target(), OLD)
    database.sql(ddl)
    there = database.sql("SELECT * FROM film ORDER BY 1")
    found = refusal_of(lambda: rows.deliver(database.target(), NEW, mode=mode))
    assert (found.rule, found.why.partition(";")[0]) == (rule, f"the row with id = {row}")
    assert database.sql("SELECT * FROM film ORDER BY 1") == there


@pytest.mark.parametrize("key", [("id",), ()])
@pytest.mark.parametrize(
    ("kind", "when"),
    [("TRIGGER keeping BEFORE", ""), ("CONSTRAINT TRIGGER keeping AFTER", "INITIALLY DEFERRED")],
)
def test_a_row_that_a_trigger_does_not_let_go_is_named(database, rows, kind, when, key):
    rows.deliver(database.target(), OLD, key=key)
    database.sql(KEEPING.format(f"{kind} DELETE", "film", when))
    found = refusal_of(lambda: rows.deliver(database.target(), NEW, key=key))
    named = "the row to be deleted with id = 3" + (", title = Fargo" if not key else "")
    assert (found.rule, found.why.split("; ")[0]) == ("raised-in-database", named)
    assert "that one stays" in found.why
    assert database.sql("SELECT id FROM film ORDER BY 1") == [(1,), (2,), (3,)]


def test_a_row_that_refers_to_a_later_one_is_not_blamed_for_it(database, rows):
    database.sql("CREATE TABLE film (id integer PRIMARY KEY, sequel integer REFERENCES film)")
    pairs = "SELECT * FROM (VALUES (1, 2), (2, 1), (3, {})) AS t(id, sequel)"
    found = refusal_of(lambda: rows.deliver(database.target(), pairs.format(9), mode="upsert"))
    assert found.why.startswith('insert or update on table "film" violates foreign key constraint')
    assert rows.deliver(database.target(), pairs.format(1), mode="upsert").inserted == 3


@pytest.fixture
def bound(channel, postgres):  # noqa: F811
    """A schema of `writer`, whom row-level security binds: as the dsn's role, or as the functions' owner."""
    postgres.create_database("bound")
    postgres.run_sql(
        "GRANT CREATE ON DATABASE bound TO writer; GRANT CREATE ON SCHEMA public TO writer", "bound"
    )
    made = Database(postgres.dsn("bound", "writer"), "own")
    if channel == "postgres":
        yield made
        return
    install(made.dsn, "own")
    with running_postgrest(postgres.dsn("bound", user="authenticator")) as server:
        made.url = server.url
        yield made


def test_a_row_that_a_policy_refuses_is_named(bound, rows):
    rows.deliver(bound.target(), OLD, mode="upsert")
    bound.sql("ALTER TABLE film FORCE ROW LEVEL SECURITY")
    bound.sql("CREATE POLICY most ON film USING (true) WITH CHECK (title <> 'Brazil')")
    found = refusal_of(lambda: rows.deliver(bound.target(), NEW, mode="upsert"))
    assert (found.rule, found.why.partition(";")[0]) == ("row-security", "the row with id = 4")
    assert bound.sql("SELECT title FROM film ORDER BY 1") == [("Alien",), ("Fargo",), ("Heat",)]


def test_a_row_without_a_key_is_named_by_its_first_columns(database, rows):
    database.sql("CREATE TABLE film (id integer, title text CHECK (title <> 'Brazil'))")
    found = refusal_of(lambda: rows.deliver(database.target(), NEW, mode="replace", key=()))
    assert found.why.startswith("the row with id = 4, title = Brazil;")


def test_a_row_that_a_trigger_keeps_out_is_named(database, rows):
    rows.deliver(database.target(), OLD)
    database.sql(
        "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN IF NEW.id = 5 THEN RETURN NULL; END IF; RETURN NEW; END$$;"
        "CREATE TRIGGER acting BEFORE INSERT ON film FOR EACH ROW EXECUTE FUNCTION act()"
    )
    found = refusal_of(lambda: rows.deliver(database.target(), NEW, mode="sync"))
    assert "one lost or changed: id = 5; row triggers on the table: acting" in found.why


def test_a_row_that_another_table_needs_is_not_deleted_and_that_is_said(database, rows):
    rows.deliver(database.target(), OLD)
    database.sql("CREATE TABLE seen (film integer REFERENCES film); INSERT INTO seen VALUES (3)")
    found = refusal_of(lambda: rows.deliver(database.target(), NEW, mode="sync"))
    assert "still referenced by another table" in found.message
    assert 'Key (id)=(3) is still referenced from table "seen"' in found.why


def test_a_server_that_is_lost_while_the_row_is_looked_for_leaves_the_first_error(database, postgres, rows):
    rows.deliver(database.target(), OLD)
    database.sql(f"{RAISING} CREATE TRIGGER acting BEFORE INSERT ON film FOR EACH ROW EXECUTE FUNCTION act()")
    with CuttingProxy(postgres.port, b"DO $osiris$") as proxy:
        target = database.target(postgres.dsn("app", port=proxy.port) + "?sslmode=disable")
        with pytest.raises(StepError) as caught:
            rows.deliver(target, NEW, mode="sync")
        assert proxy.cuts > 0
    [found] = caught.value.diagnostics
    assert (found.rule, "not that one" in found.why, "the row" in found.why) == (
        "raised-in-database",
        True,
        False,
    )
