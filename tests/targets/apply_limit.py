"""How long osiris-sql's function may take to apply rows, as the API knows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from servers.postgrest.server import PostgrestServer
from targets.supabase_table import Database

_FUNCTION = "public.osiris_apply(uuid, text, jsonb)"


@contextmanager
def applying_within(limit: str, database: Database, server: PostgrestServer) -> Iterator[None]:
    """Allow it so long in the block; what comes after a change of the limit comes after the API knows it."""
    _allow(limit, database, server)
    try:
        yield
    finally:
        _allow("55s", database, server)


def _allow(limit: str, database: Database, server: PostgrestServer) -> None:
    database.sql(f"ALTER FUNCTION {_FUNCTION} SET statement_timeout = '{limit}'")
    until = time.monotonic() + 10
    while f"statement_timeout={limit}" not in _settings(server):
        assert time.monotonic() < until
        time.sleep(0.02)


def _settings(server: PostgrestServer) -> set[str]:
    return {word for made in server.cache.functions["public", "osiris_apply"] for word in made.settings}
