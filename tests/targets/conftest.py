import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.postgrest.server import PostgrestServer, running_postgrest
from targets.delivering import Rows
from targets.live import LIVE, live_database, real, skip_own_faults
from targets.places import contract_database, contract_rest, place  # noqa: F401
from targets.supabase_table import Database, install

_schemas = itertools.count()


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    made = Rows(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def app_dsn(postgres) -> str:
    return postgres.create_database("app")


@pytest.fixture(scope="session")
def rest_server(postgres, app_dsn) -> Iterator[PostgrestServer]:
    """The REST API over the same database, with osiris-sql's functions."""
    install(app_dsn)
    with running_postgrest(postgres.dsn("app", user="authenticator")) as server:
        yield server


@pytest.fixture(params=["postgres", *real("live postgres")])
def channel(request) -> str:
    """The channel of `database`'s target; a module that imports `either_channel` tries both."""
    if request.param in LIVE:
        skip_own_faults(request)
    return request.param


@pytest.fixture
def database(channel, request) -> Database:
    """A schema of one test, or that of a real project."""
    if channel in LIVE:
        return live_database(channel)
    url = request.getfixturevalue("rest_server").url if channel == "rest" else ""
    return Database(request.getfixturevalue("app_dsn"), f"own{next(_schemas)}", url)
