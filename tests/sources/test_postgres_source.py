"""PostgreSQL as a source: rights, policies, timeouts, TLS and what is said when something is wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg2
import pytest
from servers.postgres import PASSWORD, PostgresServer
from sources.arrivals import columns, read, request

from osiris_sql.sources.postgres import PLUGIN, PostgresSource
from osiris_sql.sources.postgres.connect import parse_parameters
from osiris_sql.types.diagnostic import OsirisError, ProjectError, StepError, UnreachableError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers
ID = columns(id="INTEGER")


@pytest.fixture(scope="module")
def shop(postgres: PostgresServer) -> PostgresServer:
    postgres.create_database("source_shop")
    postgres.run_sql(
        "CREATE TABLE orders (id int PRIMARY KEY, secret text); INSERT INTO orders VALUES (1, 'a'), (2, 'b');"
        "CREATE TABLE hidden (id int); CREATE TABLE rows_hidden (id int); INSERT INTO rows_hidden VALUES (1);"
        "ALTER TABLE rows_hidden ENABLE ROW LEVEL SECURITY;"
        "CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(30) IS NULL AS x;"
        "COMMENT ON TABLE orders IS 'what was bought'; COMMENT ON COLUMN orders.id IS 'a number';"
        "GRANT SELECT (id) ON orders TO writer; GRANT SELECT ON rows_hidden, slow TO writer;",
        "source_shop",
    )
    return postgres


def connected(server: PostgresServer, **other: object) -> PostgresSource:
    given = {"dsn": Secret(server.dsn("source_shop", user="writer"))}
    return PLUGIN(PLUGIN.Options(**(given | other)), Path())


def told(kind: type[OsirisError], call) -> str:
    with pytest.raises(kind) as error:
        call()
    text = "\n".join(f"{d.rule} {d.message} {d.why} {d.fix}" for d in error.value.diagnostics)
    assert PASSWORD not in text
    return text


def test_only_what_the_user_may_read_is_there(shop):
    found = {table.identifier: table for table in connected(shop).discover(None)}
    assert sorted(found) == ["orders", "rows_hidden", "slow"]
    orders = found["orders"]
    assert orders.schema.names == ("id",)
    assert (orders.comment, orders.schema.columns[0].description) == ("what was bought", "a number")
    assert sorted(read(connected(shop), "orders", ID)) == [("1",), ("2",)]
    assert "unknown-table" in told(StepError, lambda: read(connected(shop), "hidden", ID))
    secret = columns(secret="VARCHAR")
    assert "unknown-column" in told(StepError, lambda: read(connected(shop), "orders", secret))


def test_rows_that_a_policy_would_hide_are_an_error_and_not_absent(shop):
    said = told(StepError, lambda: read(connected(shop), "rows_hidden", ID))
    assert "row-level security" in said
    assert "BYPASSRLS" in said


def test_a_table_that_takes_too_long_ends_with_the_option_to_raise(shop):
    said = told(StepError, lambda: read(connected(shop, statement_timeout=1), "slow", ID, where="NOT x"))
    assert "statement timeout" in said
    assert "raise statement_timeout" in said


def test_a_table_that_somebody_alters_is_waited_for_no_longer_than_said(shop):
    other = psycopg2.connect(shop.dsn("source_shop", user="supabase_admin"))
    try:
        other.cursor().execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        said = told(StepError, lambda: read(connected(shop, lock_timeout=1), "orders", ID))
    finally:
        other.close()
    assert "somebody alters the table" in said


def test_a_connection_that_is_cut_while_it_reads(shop):
    shop.run_sql(
        "CREATE TABLE big AS SELECT g AS id, repeat('x', 900) AS pad FROM generate_series(1, 60000) g;"
        "GRANT SELECT ON big TO writer",
        "source_shop",
    )
    pad = columns(pad="VARCHAR")
    with connected(shop).snapshot() as snapshot:
        batches = iter(snapshot.read(request("big", pad)).batches)
        next(batches)
        assert "postgres-copy" in {thread.name for thread in threading.enumerate()}
        shop.run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'writer'")
        assert "connection-lost" in told(UnreachableError, lambda: list(batches))
    assert "postgres-copy" not in {thread.name for thread in threading.enumerate()}


def test_batches_are_bounded_in_bytes(shop):
    pad = columns(pad="VARCHAR")
    with connected(shop).snapshot() as snapshot:
        assert (snapshot.position or "").startswith("snapshot ")
        batches = list(snapshot.read(request("big", pad)).batches)
    assert sum(batch.num_rows for batch in batches) == 60_000
    assert max(batch.nbytes for batch in batches) < 6 << 20


def test_nothing_can_be_written_even_by_the_superuser(shop):
    source = connected(shop, dsn=Secret(shop.dsn("source_shop", user="supabase_admin")))
    with source.snapshot() as snapshot, pytest.raises(psycopg2.Error, match="read-only transaction"):
        snapshot._connection.cursor().execute("INSERT INTO orders VALUES (9)")


DSN = "postgresql://u:p@{}/db{}"
SSL = [
    ("localhost", "", "prefer"),
    ("127.0.0.1", "?sslmode=disable", "disable"),
    ("db.abc.supabase.co", "", "require"),
    ("db.example.com", "", "verify-full"),
    ("db.example.com", "?sslmode=require", "require"),
]


@pytest.mark.parametrize(("host", "query", "mode"), SSL)
def test_tls_is_verified_unless_the_server_is_near_or_somebody_says_otherwise(host, query, mode):
    options = PLUGIN.Options(dsn=Secret(DSN.format(host, query)))
    assert parse_parameters(options)["sslmode"] == mode


UNREACHABLE = [
    ("postgresql://writer:wrong@127.0.0.1:{port}/source_shop", "access-denied"),
    ("postgresql://writer:{password}@127.0.0.1:{port}/nope", "unknown-database"),
    ("postgresql://writer:{password}@127.0.0.1:1/nope", "server-down"),
    ("postgresql://writer:{password}@127.0.0.1:{port}/source_shop?sslmode=require", "tls-failed"),
]


@pytest.mark.parametrize(("dsn", "rule"), UNREACHABLE)
def test_a_server_that_refuses_says_why(shop, dsn, rule):
    secret = Secret(dsn.format(port=shop.port, password=PASSWORD))
    assert told(UnreachableError, connected(shop, dsn=secret).probe).startswith(rule)


def test_a_dsn_that_is_none_is_a_mistake_in_the_project():
    assert "bad-dsn" in told(ProjectError, lambda: PLUGIN(PLUGIN.Options(dsn=Secret("what is this")), Path()))
