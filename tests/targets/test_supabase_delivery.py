"""Deliveries over a real PostgreSQL: what survives, what is refused, what is tried again."""

from __future__ import annotations

import select

import psycopg2
import pytest
from targets.delivering import counts, films, refusal_of
from targets.either_channel import channel  # noqa: F401

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))
MODES = [("append", ("id",)), ("upsert", ("id",)), ("replace", ("id",)), ("replace", ()), ("sync", ("id",))]
TABLE = "CREATE TABLE film (id integer PRIMARY KEY, title text)"


# ------------------------------------------------------------------------------ what create makes


def test_a_made_table_is_closed_to_strangers_and_open_to_the_service(database, rows):
    rows.deliver(database.target(), A, description="Films, it's \\ true")
    [(secured, comment)] = database.sql(
        "SELECT relrowsecurity, obj_description(oid) FROM pg_class WHERE oid = 'film'::regclass"
    )
    assert (secured, comment) == (True, "Films, it's \\ true")
    rights = "has_table_privilege('{}', 'film', '{}')"
    asked = [("service_role", "INSERT"), ("service_role", "DELETE"), ("anon", "SELECT")]
    answers = ", ".join(rights.format(*pair) for pair in asked)
    assert database.sql(f"SELECT {answers}") == [(True, True, False)]
    assert database.target().observe(rows.publication(A)).schema.key == ("id",)
    nullable = "SELECT is_nullable FROM information_schema.columns WHERE table_schema = '{}' ORDER BY 1"
    assert database.sql(nullable.format(database.schema)) == [("NO",), ("YES",)]


def test_the_rest_server_is_told(database, rows):
    listener = psycopg2.connect(database.dsn)
    listener.autocommit = True
    listener.cursor().execute("LISTEN pgrst")
    rows.deliver(database.target(), A)
    select.select([listener], [], [], 10)  # it may come a moment after the answer
    listener.poll()
    assert ("pgrst", "reload schema") in {(n.channel, n.payload) for n in listener.notifies}
    listener.close()


def test_the_ledger_is_nobodys_business_but_ours(database, rows):
    rows.deliver(database.target(), A)
    for role in ("anon", "authenticated", "service_role"):
        assert database.sql(f"SELECT has_schema_privilege('{role}', 'osiris', 'USAGE')") == [(False,)]


# --------------------------------------------------------------------------------- what survives

SURROUNDINGS = """
CREATE TABLE genre (id integer PRIMARY KEY);
CREATE TABLE film (id integer PRIMARY KEY, title text, seen timestamptz DEFAULT now(), n serial,
  genre integer REFERENCES genre);
COMMENT ON TABLE film IS 'kept'; COMMENT ON COLUMN film.title IS 'kept too';
CREATE INDEX film_title ON film (title); CREATE VIEW best AS SELECT title FROM film;
ALTER TABLE film ENABLE ROW LEVEL SECURITY; CREATE POLICY readers ON film FOR SELECT TO anon USING (true);
GRANT SELECT ON film TO anon;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen = now(); RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON film FOR EACH ROW EXECUTE FUNCTION touch();
"""
SNAPSHOT = """
SELECT c.oid, c.relfilenode, c.relacl::text, c.relrowsecurity,
  obj_description(c.oid), col_description(c.oid, 2),
  (SELECT array_agg(indexrelid ORDER BY 1) FROM pg_index WHERE indrelid = c.oid),
  (SELECT array_agg(polname ORDER BY 1) FROM pg_policy WHERE polrelid = c.oid),
  (SELECT array_agg(tgname ORDER BY 1) FROM pg_trigger WHERE tgrelid = c.oid),
  (SELECT array_agg(oid::text || convalidated ORDER BY 1) FROM pg_constraint
   WHERE c.oid IN (conrelid, confrelid)),
  (SELECT array_agg(attacl::text || atthasdef ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid),
  pg_get_serial_sequence('film', 'n')::regclass::oid, pg_get_viewdef('best'::regclass)
FROM pg_class c WHERE c.oid = 'film'::regclass"""


@pytest.mark.parametrize(("mode", "key"), MODES)
def test_everything_around_the_rows_survives(database, rows, mode, key):
    database.sql(SURROUNDINGS)
    if key:  # else the table may not be replaced
        database.sql("CREATE TABLE seat (film integer REFERENCES film DEFERRABLE)")
    rows.deliver(database.target(), A)
    before = database.sql(SNAPSHOT)
    new = films((7, "Ran"), (8, "Ikiru")) if mode == "append" else B
    rows.deliver(database.target(), new, mode=mode, key=key)
    assert database.sql(SNAPSHOT) == before
    assert database.sql("SELECT nextval(pg_get_serial_sequence('film', 'n')) > max(n) FROM film") == [(True,)]
    assert {row[0] for row in database.sql("SELECT * FROM best")} == {
        row[0] for row in database.sql("SELECT title FROM film")
    }


def test_rows_that_are_equal_are_not_written(database, rows):
    rows.deliver(database.target(), A)
    before = dict(database.sql("SELECT id, ctid::text || xmin::text || xmax::text FROM film"))
    done = rows.deliver(database.target(), films((1, "Alien"), (2, "Heat!"), (3, "Fargo")), mode="sync")
    after = dict(database.sql("SELECT id, ctid::text || xmin::text || xmax::text FROM film"))
    assert counts(done) == (0, 1, 2, 0, 3)
    assert {n for n in before if before[n] != after[n]} == {2}


# ---------------------------------------------------------------- zero rows after success: never


@pytest.mark.parametrize(("mode", "key"), [*MODES, ("append", ())])
@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE"])
def test_a_trigger_that_swallows_rows_is_found_out(database, rows, mode, key, event):
    database.sql(TABLE if key else "CREATE TABLE film (id integer, title text)")
    rows.deliver(database.target(), A, key=key)
    before = database.sql("SELECT * FROM film ORDER BY 1")
    database.sql(
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        f"CREATE TRIGGER swallow BEFORE {event} ON film FOR EACH ROW EXECUTE FUNCTION swallow()"
    )
    writes = {"append": ("INSERT",), "upsert": ("INSERT", "UPDATE")}.get(mode, ("INSERT", "DELETE"))
    touched = event in writes or (event == "UPDATE" and key and mode != "append")
    more = {"mode": mode, "key": key, "append_all": not key}
    if not touched:
        assert rows.deliver(database.target(), B, **more).sent == 3
        return
    found = refusal_of(lambda: rows.deliver(database.target(), B, **more))
    assert found.rule == "rows-not-written"
    assert "swallow" in found.why
    assert database.sql("SELECT * FROM film ORDER BY 1") == before
    assert database.target().observe(rows.publication(A)).notes[1:] == ("row triggers: swallow",)
