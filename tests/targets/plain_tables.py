"""Plain tables of `public` behind an API without osiris-sql's functions, each known to the API once made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from servers.postgrest.server import PostgrestServer, running_postgrest
from targets.supabase_table import Database

TABLE = "CREATE TABLE {0} (id integer PRIMARY KEY, title text); GRANT ALL ON {0} TO service_role"


@contextmanager
def running_plain(postgres, name: str) -> Iterator[tuple[Database, PostgrestServer]]:
    """Make a database and start the API over it."""
    database = Database(postgres.create_database(name), "unused")
    database.schema = "public"
    with running_postgrest(postgres.dsn(name, user="authenticator")) as server:
        database.url = server.url
        yield database, server


def make_table(database: Database, server: PostgrestServer, table: str, ddl: str = TABLE) -> None:
    """Make a table and wait until the API knows it."""
    database.sql(ddl.format(table))
    until = time.monotonic() + 10
    while ("public", table) not in server.cache.tables:
        assert time.monotonic() < until
        time.sleep(0.02)
