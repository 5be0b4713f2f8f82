"""A Supabase target on the private server, in a schema of its own, and a way to look past it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg2
from servers.postgrest.server import SECRET_KEY

from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import make_options
from osiris_sql.targets.supabase.rest.bootstrap import bootstrap_sql


def install(dsn: str, schema: str = "public") -> None:
    """Run what `doctor --bootstrap` prints, as a person would in the SQL editor."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(bootstrap_sql([schema]))
    connection.close()


class Database:
    """A schema that one test owns; `sql` runs as `postgres`, as any owner of the project would.

    Its target uses the REST channel where there is a `url`.
    """

    def __init__(
        self, dsn: str, schema: str, url: str = "", key: str = SECRET_KEY, *, functions: bool = True
    ) -> None:
        self.dsn, self.schema, self.url, self.key = dsn, schema, url, key
        self.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        if url and functions:
            self.sql(f"INSERT INTO osiris.schemas VALUES ('{schema}') ON CONFLICT DO NOTHING")

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL search_path TO {self.schema}, public")
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def target(self, dsn: str = "", **options: Any) -> Any:
        plugin = load_plugin("targets", "supabase")
        place = {"dsn": dsn or self.dsn}
        if self.url and not dsn:
            place = {"url": self.url, "secret_key": self.key}
        values = {**place, "schema": self.schema, **options}
        return plugin(make_options(plugin.Options, values, {}), Path())
