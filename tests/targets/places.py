"""Every target, each with a way to look at it that does not go through the target."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from servers.postgrest.server import running_postgrest
from targets.live import LIVE, live_database, real
from targets.supabase_table import Database, install

from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import make_options

KINDS = ("duckdb", "csv", "parquet", "postgres", "transaction pooler", "rest")
_schemas = itertools.count()


class Place:
    """A target and the way to look at it that does not go through the target."""

    def __init__(
        self, target, read: Callable[[str], list[tuple]], run: Callable[[str], object] | None
    ) -> None:
        self.target, self.read, self.run = target, read, run


@pytest.fixture(params=[*KINDS, *real(*LIVE)])
def place(request, tmp_path: Path) -> Place:
    kind = request.param
    if kind in LIVE:
        return _of(live_database(kind))
    if kind in ("csv", "parquet"):
        return _files(tmp_path, kind)
    if kind == "duckdb":
        return _duckdb(tmp_path)
    if kind == "rest":
        url, dsn = request.getfixturevalue("contract_rest")
        return _of(Database(dsn, f"place{next(_schemas)}", url))
    database = Database(request.getfixturevalue("contract_database"), f"place{next(_schemas)}")
    pooled = kind == "transaction pooler"
    return _of(database, request.getfixturevalue("pooler").dsn("contract") if pooled else "")


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


def _of(database: Database, dsn: str = "") -> Place:
    def read(table: str) -> list[tuple]:
        return database.sql(f"SELECT * FROM {table} ORDER BY 1, 2")

    return Place(database.target(dsn), read, database.sql)


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


def _target(type_: str, options: dict[str, str], root: Path):
    plugin = load_plugin("targets", type_)
    return plugin(make_options(plugin.Options, options, {}), root)
