import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from targets.delivering import Rows
from targets.places import contract_database, place  # noqa: F401
from targets.supabase_table import Database

_schemas = itertools.count()


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    made = Rows(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def app_dsn(postgres) -> str:
    return postgres.create_database("app")


@pytest.fixture
def database(app_dsn) -> Database:
    return Database(app_dsn, f"own{next(_schemas)}")
