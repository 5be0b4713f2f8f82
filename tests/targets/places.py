"""Every target, each with a way to look at it that does not go through the target."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg2
import pytest
from servers.postgrest.server import SECRET_KEY, running_postgrest
from targets.supabase_table import install

from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import make_options

KINDS = ("duckdb", "csv", "parquet", "postgres", "transaction pooler", "rest")
# A real project, of which one schema is ours: its tables are dropped. For REST the API must expose it
# (Project Settings → Data API → Exposed schemas); the dsn is there to look past the target.
LIVE = {
    "live postgres": ("OSIRIS_LIVE_SUPABASE_DSN", "OSIRIS_LIVE_SUPABASE_SCHEMA"),
    "live rest": (
        *("OSIRIS_LIVE_SUPABASE_DSN", "OSIRIS_LIVE_SUPABASE_SCHEMA"),
        *("OSIRIS_LIVE_SUPABASE_URL", "OSIRIS_LIVE_SUPABASE_KEY"),
    ),
}
_schemas = itertools.count()


class Place:
    """A target and the way to look at it that does not go through the target."""

    def __init__(
        self, target, read: Callable[[str], list[tuple]], run: Callable[[str], object] | None
    ) -> None:
        self.target, self.read, self.run = target, read, run


def missing(kind: str) -> list[str]:
    """Return the variables that a real project still needs."""
    return [name for name in LIVE[kind] if not os.environ.get(name)]


REAL = [pytest.param(kind, marks=pytest.mark.live) for kind in LIVE if not missing(kind)]


@pytest.fixture(params=[*KINDS, *REAL])
def place(request, tmp_path: Path) -> Place:
    kind = request.param
    if kind in LIVE:
        return _live(LIVE[kind])
    if kind in ("csv", "parquet"):
        return _files(tmp_path, kind)
    if kind == "duckdb":
        return _duckdb(tmp_path)
    if kind == "rest":
        return _rest(*request.getfixturevalue("contract_rest"), f"place{next(_schemas)}")
    direct = dsn = request.getfixturevalue("contract_database")
    if kind == "transaction pooler":
        dsn = request.getfixturevalue("pooler").dsn("contract")
    return _postgres(direct, dsn, f"place{next(_schemas)}")


@pytest.fixture(scope="module")
def contract_database(postgres) -> str:
    return postgres.create_database("contract")


@pytest.fixture(scope="module")
def contract_rest(postgres):
    """A database with osiris-sql's functions, and the REST API over it."""
    dsn = postgres.create_database("contract_rest")
    install(dsn)
    with running_postgrest(postgres.dsn("contract_rest", user="authenticator")) as server:
        yield server.url, dsn


def _rest(url: str, dsn: str, schema: str) -> Place:
    made = _postgres(dsn, dsn, schema)
    made.run(f"INSERT INTO osiris.schemas VALUES ('{schema}')")
    return _over_rest(made, url, SECRET_KEY, schema)


def _live(variables: tuple[str, ...]) -> Place:
    dsn, schema, *rest = (os.environ[name] for name in variables)
    made = _postgres(dsn, dsn, schema)
    for (table,) in made.run(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'"):
        made.run(f'DROP TABLE "{table}" CASCADE')
    if not rest:
        return made
    install(dsn, schema)
    return _over_rest(made, rest[0], rest[1], schema)


def _over_rest(made: Place, url: str, key: str, schema: str) -> Place:
    options = {"url": url, "secret_key": key, "schema": schema}
    return Place(_target("supabase", options, Path()), made.read, made.run)


def _files(folder: Path, kind: str) -> Place:
    options = {"path": "out", "format": kind}
    reader = "read_csv('{}', allow_quoted_nulls = false)" if kind == "csv" else "read_parquet('{}')"

    def read(table: str) -> list[tuple]:
        source = reader.format(folder / "out" / f"{table}.{kind}")
        return duckdb.sql(f"SELECT * FROM {source} ORDER BY ALL").fetchall()

    return Place(_target("files", options, folder), read, None)


def _duckdb(folder: Path) -> Place:
    def run(sql: str) -> None:
        with duckdb.connect(str(folder / "app.duckdb")) as connection:
            connection.execute(sql)

    def read(table: str) -> list[tuple]:
        with duckdb.connect(str(folder / "app.duckdb"), read_only=True) as connection:
            return connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()

    return Place(_target("duckdb", {"path": "app.duckdb"}, folder), read, run)


def _postgres(direct: str, dsn: str, schema: str) -> Place:
    def fetch(sql: str) -> list[tuple]:
        connection = psycopg2.connect(direct, options=f"-c search_path={schema}")
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    fetch(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    target = _target("supabase", {"dsn": dsn, "schema": schema}, Path())
    return Place(target, lambda table: fetch(f"SELECT * FROM {table} ORDER BY 1, 2"), fetch)


def _target(type_: str, options: dict[str, str], root: Path):
    plugin = load_plugin("targets", type_)
    return plugin(make_options(plugin.Options, options, {}), root)
