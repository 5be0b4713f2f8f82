"""Servers that tests ask for by name; each starts when the first test needs it. Long files run first."""

import signal

import pytest
from hypothesis import settings
from servers.mariadb import mariadb  # noqa: F401
from servers.pgbouncer import pooler  # noqa: F401
from servers.postgres import postgres  # noqa: F401

# No test may fail because the machine is busy.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A worker that began one of these last would be waited for, while the others have nothing to do.
LONGEST = (
    "run/test_kill.py",
    "flights/test_flights.py",
    "targets/test_every_target.py",
    "bad_input/test_bad_input.py",
    "targets/test_supabase_killed.py",
    "sandbox/test_flights.py",
    "tpc/test_tpc.py",
    "run/test_any_edit.py",
    "run/test_killed_batches.py",
    "compile/test_random_models.py",
    "compile/test_determinism_properties.py",
    "sandbox/test_film_project.py",
    "film_project/test_film_project.py",
    "project/test_any_file.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, in this order; `--no-loadscope-reorder` has xdist keep it."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(places)))


def pytest_configure() -> None:
    """Let Ctrl-C be heard, in commands that tests start too: who is started in the background ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
