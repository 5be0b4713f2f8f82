"""A Supabase target on the private server, in a schema of its own, and a way to look past it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg2

from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import make_options


class Database:
    """A schema that one test owns; `sql` runs as `postgres`, as any owner of the project would."""

    def __init__(self, dsn: str, schema: str) -> None:
        self.dsn, self.schema = dsn, schema
        self.sql(f"CREATE SCHEMA {schema}")

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn, options=f"-c search_path={self.schema},public")
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def target(self, dsn: str = "", **options: Any) -> Any:
        plugin = load_plugin("targets", "supabase")
        values = {"dsn": dsn or self.dsn, "schema": self.schema, **options}
        return plugin(make_options(plugin.Options, values, {}), Path())
