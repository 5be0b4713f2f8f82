"""A server for each test that asks, and what a launcher needs to find it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox.server import API_KEY, E2BServer, e2b_server
from sandbox.server.jail import PYTHON


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[E2BServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with e2b_server(tmp_path_factory.mktemp("sandboxes")) as running:
        yield running


@pytest.fixture
def environ(server: E2BServer) -> dict[str, str]:
    """The variables with which the launcher reaches the server, and nothing else."""
    return {
        "E2B_API_KEY": API_KEY,
        "E2B_API_URL": server.url,
        "E2B_SANDBOX_URL": server.url,
        "OSIRIS_E2B_TEMPLATE": "osiris-test",
        "OSIRIS_E2B_PYTHON": PYTHON,
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path
