"""The table of reference 5.3 and a server over it; raw requests without a client's own opinions."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psycopg2
import pytest
from servers.postgrest.server import PUBLISHABLE_KEY, SECRET_KEY, PostgrestServer, running_postgrest

TABLES = """
CREATE TABLE t (id bigint PRIMARY KEY, name text DEFAULT 'dflt', v numeric(6,2), ts timestamptz DEFAULT now(),
  j jsonb, g int GENERATED ALWAYS AS IDENTITY, arr int[]);
CREATE TABLE child (id int PRIMARY KEY, parent bigint REFERENCES t);
CREATE TABLE secured (id int PRIMARY KEY); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE TABLE swallowing (id int PRIMARY KEY);
CREATE TABLE slow (id int);
CREATE TABLE closed (id int);
CREATE VIEW seen AS SELECT id, name FROM t;
CREATE TABLE "Weird Table" (id int PRIMARY KEY, "a.b" text UNIQUE, "c,d" text, "sel ect" text, "e""f" text);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION sleepy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN NEW; END';
CREATE TRIGGER nothing BEFORE INSERT ON swallowing FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER sleepy BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION sleepy();
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
CREATE FUNCTION measured(text) RETURNS int LANGUAGE sql AS 'SELECT length($1)';
CREATE FUNCTION facts(a text[], b jsonb DEFAULT '{}') RETURNS json LANGUAGE sql
  AS 'SELECT json_build_object(''ok'', true, ''n'', cardinality(a))';
CREATE FUNCTION refusing() RETURNS int LANGUAGE plpgsql
  AS 'BEGIN RAISE EXCEPTION ''no'' USING DETAIL = ''why'', HINT = ''how''; END';
CREATE FUNCTION private(n int) RETURNS int LANGUAGE sql AS 'SELECT n';
REVOKE ALL ON FUNCTION private(int) FROM PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA public TO service_role;
GRANT ALL ON t, secured TO anon; REVOKE ALL ON closed FROM service_role;
GRANT EXECUTE ON FUNCTION private(int) TO service_role;
"""


class Rest:
    """Raw requests to the server, and a look past it at the database."""

    def __init__(self, server: PostgrestServer, dsn: str) -> None:
        self.server, self._dsn = server, dsn
        self._client = httpx.Client(base_url=f"{server.url}/rest/v1", timeout=30)

    def close(self) -> None:
        self._client.close()

    def ask(
        self, method: str, target: str, *, prefer: str = "", key: str = SECRET_KEY, **more
    ) -> httpx.Response:
        headers = {"apikey": key, **({"Prefer": prefer} if prefer else {}), **more.pop("headers", {})}
        return self._client.request(method, target, headers=headers, **more)

    def sql(self, statement: str) -> list[tuple]:
        connection = psycopg2.connect(self._dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def fill(self, rows: int) -> None:
        self.sql(f"INSERT INTO t (id, name) SELECT n, 'n' || n FROM generate_series(1, {rows}) AS n")


@pytest.fixture(scope="module")
def rest_server(postgres) -> Iterator[tuple[PostgrestServer, str]]:
    dsn = postgres.create_database("rest")
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
    connection.close()
    with running_postgrest(postgres.dsn("rest", user="authenticator")) as server:
        yield server, dsn


@pytest.fixture
def rest(rest_server) -> Iterator[Rest]:
    server, dsn = rest_server
    made = Rest(server, dsn)
    made.sql('TRUNCATE t, child, secured, swallowing, slow, "Weird Table" RESTART IDENTITY')
    server.faults.clear()
    server.seen.clear()
    yield made
    made.close()


ANON = PUBLISHABLE_KEY
