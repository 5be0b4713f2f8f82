"""REST through the functions: faults at every request, batches that are too large, the time limit."""

from __future__ import annotations

import psycopg2
import pytest
from targets.apply_limit import applying_within
from targets.delivering import counts, films, quiet, refusal_of
from targets.supabase_table import Database, install

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))


@pytest.fixture
def channel(rest_server):
    yield "rest"
    rest_server.faults.clear()


FUNCTIONS = ["osiris_table", "osiris_stage", "osiris_apply", "osiris_receipt"]
FAULTS = ["drop before", "drop after", "429", "502", "503", "504", "PGRST002", "PGRST003"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_that_passes_is_tried_again_and_rows_are_written_once(
    database, rest_server, rows, function, what
):
    more = {"mode": "append", "key": (), "append_all": True}
    # What clients killed by other tests have staged stays until it is old.
    staged = database.sql("SELECT count(*) FROM osiris.staged")
    rows.deliver(database.target(), A, "first", **more)
    publication = rows.publication(B, **more)
    target = database.target()
    load = rows.load(target, publication, B, "second")
    rest_server.faults.add(what, path=function)
    done = target.publish(publication, load, quiet)
    assert (done.inserted, done.total_after, done.already_published) == (3, 6, False)
    assert database.sql("SELECT count(*) FROM film") == [(6,)]
    assert database.sql("SELECT count(*) FROM osiris.staged") == staged


def test_batches_that_are_too_large_are_halved(database, rest_server, rows):
    rest_server.knobs.max_body = 20_000
    try:
        many = "SELECT i::INTEGER AS id, repeat('x', 50) AS title FROM range(3000) AS r(i)"
        assert counts(rows.deliver(database.target(), many)) == (3000, 0, 0, 0, 3000)
    finally:
        rest_server.knobs.max_body = None


def test_too_many_rows_are_refused_with_the_way_out(database, rows):
    found = refusal_of(lambda: rows.deliver(database.target(rest_max_rows=2), A))
    assert (found.rule, "dsn" in found.fix) == ("too-many-for-rest", True)


def test_an_apply_that_takes_too_long_changes_nothing_and_names_the_way_out(database, rest_server, rows):
    rows.deliver(database.target(), A)
    database.sql(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_sleep(9); RETURN NEW; END';"
        "CREATE TRIGGER slowly BEFORE INSERT ON film FOR EACH ROW EXECUTE FUNCTION slowly()"
    )
    with applying_within("300ms", database, rest_server):
        found = refusal_of(lambda: rows.deliver(database.target(), B, mode="sync"))
    assert (found.rule, "dsn" in found.fix) == ("statement-cancelled", True)
    assert database.sql("SELECT title FROM film ORDER BY id") == [("Alien",), ("Heat",), ("Fargo",)]


def test_the_channel_is_said_when_observed_and_when_published(database, rows):
    assert database.target().observe(rows.publication(A)).notes == (
        "channel: rest, through osiris-sql's functions",
    )
    assert rows.deliver(database.target(), A).channel == "rest"
    facts = database.target().probe().facts
    assert (facts["channel"], facts["functions"]) == ("rest", "installed: publishing is atomic")


def test_nothing_of_a_dead_delivery_stays_for_ever(database, rows):
    database.sql(
        "INSERT INTO osiris.staged VALUES (gen_random_uuid(), 0, 1, false, '.', now() - interval '2 days')"
    )
    rows.deliver(database.target(), A)
    assert database.sql("SELECT count(*) FROM osiris.staged WHERE at < now() - interval '1 day'") == [(0,)]


def test_rows_are_counted_where_they_are_applied_whatever_a_batch_says_of_itself(database):
    database.sql("CREATE TABLE film (id integer)")
    delivery = "11111111-1111-1111-1111-111111111111"
    column = '{"name": "id", "type": "integer", "nested": false, "exact": false}'
    told = f'"mode": "append", "key": [], "columns": [{column}], "rows": 2, "create": false'
    batch = f"{delivery} 0 2 false\n.\x7f7"
    assert database.sql(f"SELECT public.osiris_stage('{batch}')") == [(len(batch),)]
    with pytest.raises(psycopg2.Error, match="2 rows were promised, 1 were staged"):
        database.sql(
            f"SELECT public.osiris_apply('{delivery}', 'a load',"
            f""" '{{"schema": "{database.schema}", "table": "film", {told}}}')"""
        )
    assert database.sql("SELECT * FROM film") == []
    database.sql(f"SELECT public.osiris_discard('{delivery}')")


def test_functions_of_an_older_version_go_when_these_are_installed(postgres):
    dsn = postgres.create_database("older")
    install(dsn)
    database = Database(dsn, "anything")
    database.sql(
        "CREATE TABLE osiris.stage (); CREATE FUNCTION public.osiris_stage(uuid, int, text) RETURNS int"
        " LANGUAGE sql AS 'SELECT 1'"
    )
    install(dsn)
    there = "SELECT oid::regprocedure::text FROM pg_proc WHERE proname = 'osiris_stage'"
    assert database.sql(there) == [("osiris_stage(text)",)]
    assert database.sql("SELECT to_regclass('osiris.stage')") == [(None,)]


def test_fields_hold_what_separates_them(database, rows):
    signs = "chr(127) || chr(128) || chr(129) || chr(130) || chr(10) || 'fnre'"
    sent = (
        f"SELECT i::INTEGER AS id, CASE i WHEN 1 THEN {signs} WHEN 2 THEN '' END AS title FROM range(3) r(i)"
    )
    assert counts(rows.deliver(database.target(), sent)) == (3, 0, 0, 0, 3)
    found = database.sql("SELECT title FROM film ORDER BY id")
    assert found == [(None,), ("\x7f\x80\x81\x82\nfnre",), ("",)]
