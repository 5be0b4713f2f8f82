"""Import `channel` into a module of tests, and each of them runs over Postgres and over REST."""

import pytest


@pytest.fixture(params=["postgres", "rest"])
def channel(request) -> str:
    return request.param
