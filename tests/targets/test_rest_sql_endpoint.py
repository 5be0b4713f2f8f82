"""REST with an SQL endpoint: tables are made and altered over HTTP, and the functions installed."""

from __future__ import annotations

import itertools

import pytest
from servers.postgrest.management import PATH, TOKEN
from servers.postgrest.server import running_postgrest
from targets.delivering import counts, films, refusal_of
from targets.supabase_table import Database

from osiris_sql.targets.supabase.rest.bootstrap import bootstrap_sql
from osiris_sql.types.diagnostic import UnreachableError

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
WIDER = "SELECT 1::INTEGER AS id, 'Alien' AS title, 7::BIGINT AS votes"
_names = itertools.count()


@pytest.fixture(scope="module")
def api(postgres):
    dsn = postgres.create_database("sql_endpoint")
    with running_postgrest(postgres.dsn("sql_endpoint", user="authenticator"), owner=dsn) as server:
        database = Database(dsn, "unused", server.url, functions=False)
        database.schema = "public"
        yield database, server


@pytest.fixture
def made(api):
    database, server = api
    yield database, server, {"access_token": TOKEN, "sql_url": server.sql_url}, f"film{next(_names)}"
    server.faults.clear()


def columns(database, table) -> list[str]:
    sql = f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
    return [row[0] for row in database.sql(f"{sql} AND NOT attisdropped ORDER BY attnum")]


def test_a_missing_table_is_made_in_one_transaction(made, rows):
    database, _, options, table = made
    publication = rows.publication(A, table=table, mode="upsert", description="Films")
    seen = database.target(**options).observe(publication)
    assert (seen.kind, seen.diagnostics, seen.channel) == ("absent", (), "rest")
    assert [s.split()[0] for s in seen.ddl][:2] == ["CREATE", "ALTER"]
    done = rows.deliver(database.target(**options), A, table=table, mode="upsert", description="Films")
    assert counts(done) == (3, 0, 0, 0, 3)
    assert database.sql(
        f"SELECT relrowsecurity, obj_description(oid), has_table_privilege('service_role', oid, 'DELETE'),"
        f" has_table_privilege('anon', oid, 'SELECT') FROM pg_class WHERE relname = '{table}'"
    ) == [(True, "Films", True, False)]
    assert database.target(**options).observe(publication).ddl == ()


def test_a_new_column_is_added_and_the_api_waited_for(made, rows):
    database, _, options, table = made
    rows.deliver(database.target(**options), A, table=table, mode="upsert")
    done = rows.deliver(database.target(**options), WIDER, table=table, mode="upsert")
    assert (done.total_after, columns(database, table)) == (3, ["id", "title", "votes"])
    assert database.sql(f"SELECT votes FROM {table} WHERE id = 1") == [(7,)]


def test_a_type_is_changed_on_request(made, rows):
    database, _, options, table = made
    rows.deliver(database.target(**options), A, table=table, mode="upsert")
    long = "SELECT 9::BIGINT AS id, 'x' AS title"
    more = {"table": table, "mode": "upsert", "on_schema_change": "sync"}
    assert rows.deliver(database.target(**options), long, **more).total_after == 4
    assert database.sql(f"SELECT pg_typeof(id)::text FROM {table} LIMIT 1") == [("bigint",)]


@pytest.mark.parametrize("what", ["drop before", "drop after", "429", "503", "502"])
@pytest.mark.parametrize("skip", [0, 1, 2, 3])
def test_a_fault_of_the_sql_endpoint_makes_no_half_table(made, rows, what, skip):
    database, server, options, table = made
    publication = rows.publication(A, table=table, mode="upsert")
    target = database.target(**options)
    load = rows.load(target, publication, A)
    server.faults.add(what, path=PATH, skip=skip)
    assert target.publish(publication, load, lambda rows, words: None).total_after == 3
    made_by = database.sql(f'SELECT created FROM osiris.publications WHERE target = \'"public"."{table}"\'')
    assert made_by == [(True,)]


def test_a_stale_schema_cache_is_reloaded_and_waited_for(made, rows):
    database, server, options, table = made
    rows.deliver(database.target(**options), A, table=table, mode="upsert")
    server.cache.tables.pop(("public", table))  # as if the API had never looked again
    assert rows.deliver(database.target(**options), A, "again", table=table, mode="upsert").total_after == 3
    assert ("public", table) in server.cache.tables


def test_a_column_that_would_round_is_refused_by_name(made, rows):
    database, _, options, table = made
    database.sql(
        f"CREATE TABLE {table} (id int PRIMARY KEY, x numeric(6,2)); GRANT ALL ON {table} TO service_role"
    )
    sql = "SELECT 1::INTEGER AS id, 12.345::DECIMAL(9,3) AS x"
    found = refusal_of(lambda: rows.deliver(database.target(**options), sql, table=table, mode="upsert"))
    assert (found.rule, '"x"' in found.message) == ("needs-functions", True)


@pytest.mark.parametrize(
    ("options", "why"),
    [({"access_token": "sbp_wrong_5521"}, "Unauthorized"), ({"sql_url": "http://127.0.0.1:9/"}, "refused")],
)
def test_an_endpoint_that_does_not_answer_is_named_without_its_token(made, rows, options, why):
    database, _, good, table = made
    with pytest.raises(UnreachableError) as caught:
        database.target(**{**good, **options}).observe(rows.publication(A, table=table, mode="upsert"))
    [found] = caught.value.diagnostics
    assert (found.rule, why in found.why, "5521" in str(found)) == ("sql-endpoint-refused", True, False)


def test_without_an_endpoint_the_exact_statement_is_told(made, rows):
    database, _, options, table = made
    rows.deliver(database.target(**options), A, table=table, mode="upsert")
    found = refusal_of(lambda: rows.deliver(database.target(), WIDER, table=table, mode="upsert"))
    statement = f'ALTER TABLE "public"."{table}" ADD COLUMN "votes" bigint;'
    assert (found.rule, statement in found.fix) == ("unknown-column", True)
    database.sql(found.fix.partition("\n")[2])
    assert rows.deliver(database.target(**options), WIDER, table=table, mode="upsert").total_after == 3


def test_install_runs_over_the_endpoint_and_an_older_version_is_named(postgres, rows):
    dsn = postgres.create_database("installing")
    with running_postgrest(postgres.dsn("installing", user="authenticator"), owner=dsn) as server:
        database = Database(dsn, "own", server.url, functions=False)
        options = {"access_token": TOKEN, "sql_url": server.sql_url}
        assert database.target(**options).probe().facts["functions"].startswith("missing")
        database.target(**options).install(bootstrap_sql(["own"]))
        assert database.target(**options).probe().facts["functions"].startswith("installed")
        assert counts(rows.deliver(database.target(), A)) == (3, 0, 0, 0, 3)
        database.sql(
            "CREATE OR REPLACE FUNCTION public.osiris_version() RETURNS int LANGUAGE sql AS 'SELECT 0'"
        )
        with pytest.raises(UnreachableError) as caught:
            rows.deliver(database.target(), A)
        [found] = caught.value.diagnostics
        assert (found.rule, "older" in found.why, "--bootstrap" in found.fix) == (
            "other-functions",
            True,
            True,
        )
        database.target(**options).install(bootstrap_sql(["own"]))
        assert rows.deliver(database.target(), A).already_published
