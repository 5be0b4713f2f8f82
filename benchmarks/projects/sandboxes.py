"""Sandboxes of the tests' server of E2B's wire, and what a run leaves of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.program.place import Place, environ
from benchmarks.program.shape import BenchmarkError, Figures

if TYPE_CHECKING:
    from sandbox.server import E2BServer


@contextmanager
def sandboxes() -> Iterator[E2BServer]:
    """Serve until the benchmark ends."""
    from sandbox.server import e2b_server

    with (
        tempfile.TemporaryDirectory(prefix="osiris-sandboxes-") as folder,
        e2b_server(Path(folder)) as server,
    ):
        yield server


def there(place: Place) -> dict[str, str]:
    """Return the environment with which a command finds the server."""
    from sandbox.server.jail import PYTHON

    server = place.servers.get(sandboxes)
    return environ(
        E2B_API_KEY=server.api_key,
        E2B_API_URL=server.url,
        E2B_SANDBOX_URL=server.url,
        OSIRIS_E2B_TEMPLATE="osiris-test",
        OSIRIS_E2B_PYTHON=PYTHON,
    )


def nothing_is_left(place: Place) -> Figures:
    """Return how many sandboxes a run has left; raises if there is one."""
    left = len(place.servers.get(sandboxes).sandboxes.running())
    if left:
        raise BenchmarkError(f"{left} sandboxes were left")
    return {"sandboxes_left": left}
