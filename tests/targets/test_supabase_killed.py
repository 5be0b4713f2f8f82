"""kill -9 of the publishing process at any statement: the old rows or the new ones, and then the new ones."""

from __future__ import annotations

import itertools
import os
import signal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers.statement_proxy import StatementProxy
from targets.delivering import films, quiet
from targets.supabase_table import Database

OLD = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
BATCH = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))
AFTER = {
    "append": {(1, "Alien"), (2, "Heat"), (3, "Fargo"), (4, "Brazil")},
    "upsert": {(1, "Alien"), (2, "Heat!"), (3, "Fargo"), (4, "Brazil")},
    "replace": {(1, "Alien"), (2, "Heat!"), (4, "Brazil")},
    "sync": {(1, "Alien"), (2, "Heat!"), (4, "Brazil")},
}
MODES = [("append", ("id",)), ("upsert", ("id",)), ("replace", ("id",)), ("replace", ()), ("sync", ("id",))]
KILL_POINTS = 40  # statements of a delivery and of reading it back
_numbers = itertools.count()


class Victim:
    """A process that publishes, and dies when told to."""

    def __init__(self) -> None:
        self.pid = 0

    def publish(self, target, publication, load) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            try:
                target.publish(publication, load, quiet)
            finally:
                os._exit(0)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> bool:
        """Wait for its end; say whether it was killed."""
        return os.WIFSIGNALED(os.waitpid(self.pid, 0)[1])


def table(database: Database) -> list[tuple]:
    return database.sql("SELECT id, title FROM film ORDER BY 1, 2")


def check(database: Database, rows, mode, key, run, *, made: bool) -> None:
    """Kill one delivery by `run`; look; deliver again; look again. The table has rows, or is to be made."""
    if not made:
        rows.deliver(database.target(), OLD, "first", key=("id",))
    publication = rows.publication(BATCH, mode=mode, key=key)
    load = rows.load(database.target(), publication, BATCH, "second")
    run(publication, load)
    new = AFTER["sync" if made else mode]
    [(there,)] = database.sql("SELECT to_regclass('film') IS NOT NULL")
    found = table(database) if there else []
    assert len(found) == len(set(found))
    if made:
        assert not there or set(found) == new
    else:
        assert set(found) in ({(1, "Alien"), (2, "Heat"), (3, "Fargo")}, new)
    done = database.target().publish(publication, load, quiet)
    assert table(database) == sorted(new)
    assert done.already_published == (set(found) == new)
    again = database.target().publish(publication, load, quiet)
    assert again.already_published
    assert table(database) == sorted(new)
    assert database.target().observe(publication).schema.key == (key or ("id",) * (not made))


PROPERTY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("made", [False, True], ids=["filled", "made"])
@pytest.mark.parametrize("at", range(1, KILL_POINTS + 1))
def test_over_postgres(app_dsn, postgres, rows, at, made):
    """Killed when a statement has ended and its answer is lost; that is before the next one begins, too.

    Two of the modes at each statement, one where the table is made; OSIRIS_EVERY_KILL=1 tries all of them at
    all (four minutes).
    """
    modes = (MODES[at % 5], MODES[(at + 2) % 5])[: 1 if made else 2]
    for mode in MODES if "OSIRIS_EVERY_KILL" in os.environ else modes:
        database, victim = Database(app_dsn, f"killed{next(_numbers)}"), Victim()
        check(database, rows, *mode, killing(postgres, database, victim, at), made=made)


def killing(postgres, database: Database, victim: Victim, at: int):
    """Return what runs a delivery whose process is killed after its statement number `at`."""

    def run(publication, load) -> None:
        with StatementProxy(postgres.port, at, victim.kill, after=True) as proxy:
            target = database.target(postgres.dsn("app", port=proxy.port) + "?sslmode=disable")
            victim.publish(target, publication, load)
            killed = victim.end()
            assert killed == proxy.acted

    return run


@given(
    mode=st.sampled_from(MODES),
    at=st.integers(0, 5),
    what=st.sampled_from(["drop before", "drop after"]),
    made=st.booleans(),
)
@PROPERTY
def test_over_rest(app_dsn, rest_server, rows, mode, at, what, made):
    database, victim = Database(app_dsn, f"killed{next(_numbers)}", rest_server.url), Victim()

    def run(publication, load) -> None:
        fault = rest_server.faults.add(what, skip=at, act=victim.kill)
        victim.publish(database.target(), publication, load)
        killed = victim.end()
        rest_server.faults.clear()
        assert killed == bool(fault.hits)

    check(database, rows, *mode, run, made=made)


def test_the_commit_itself_is_among_the_statements_that_were_tried(app_dsn, postgres, rows):
    database = Database(app_dsn, f"killed{next(_numbers)}")
    rows.deliver(database.target(), OLD, "first")
    with StatementProxy(postgres.port, 1000, lambda: None, after=False) as proxy:
        target = database.target(postgres.dsn("app", port=proxy.port) + "?sslmode=disable")
        rows.deliver(target, BATCH, "second", mode="sync")
    assert 15 < proxy.statements <= KILL_POINTS
