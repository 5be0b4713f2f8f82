"""kill -9 at any request of a delivery into plain tables: one request is all or nothing; several may be half
done, as `atomic: false` says, but never lose a row that stays, and the next delivery ends it."""

from __future__ import annotations

import itertools

import pytest
from targets.delivering import quiet
from targets.plain_tables import make_table, running_plain
from targets.test_supabase_killed import AFTER, BATCH, Victim

OLD = {(1, "Alien"), (2, "Heat"), (3, "Fargo")}
MANY = "SELECT i::INTEGER AS id, 'new' AS title FROM range(2500) AS r(i)"
_names = itertools.count()


@pytest.fixture(scope="module")
def api(postgres):
    with running_plain(postgres, "plain_killed") as made:
        yield made


@pytest.fixture
def table(api):
    database, server = api
    name = f"film{next(_names)}"
    make_table(database, server, name)
    yield name
    server.faults.clear()


def killed(server, target, publication, load, at: int, what: str) -> bool:
    victim = Victim()
    fault = server.faults.add(what, skip=at, act=victim.kill)
    victim.publish(target, publication, load)
    assert victim.end() == bool(fault.hits)
    server.faults.clear()
    return bool(fault.hits)


@pytest.mark.parametrize("what", ["drop before", "drop after"])
@pytest.mark.parametrize("mode", ["upsert", "append", "replace", "sync"])
def test_at_every_request(api, table, rows, mode, what):
    database, server = api
    options = {"atomic": mode in ("upsert", "append")}
    for at in range(20):
        database.sql(f"TRUNCATE {table}; INSERT INTO {table} VALUES (1, 'Alien'), (2, 'Heat'), (3, 'Fargo')")
        publication = rows.publication(BATCH, table=table, mode=mode)
        load = rows.load(database.target(**options), publication, BATCH, "second")
        hit = killed(server, database.target(**options), publication, load, at, what)
        found = set(database.sql(f"SELECT id, title FROM {table}"))
        states = [OLD, AFTER[mode], *([] if options["atomic"] else [AFTER["upsert"]])]
        assert found in states
        database.target(**options).publish(publication, load, quiet)
        assert set(database.sql(f"SELECT id, title FROM {table}")) == AFTER[mode]
        if not hit:
            return
    raise AssertionError("a delivery of four rows takes fewer than 20 requests")


def test_between_the_batches_of_many_rows(api, table, rows):
    database, server = api
    for at in (1, 3, 4, 5, 6):
        database.sql(
            f"TRUNCATE {table}; INSERT INTO {table} SELECT n, 'old' FROM generate_series(0, 2999) AS n"
        )
        publication = rows.publication(MANY, table=table, mode="sync")
        target = database.target(atomic=False)
        load = rows.load(target, publication, MANY, "many")
        assert killed(server, target, publication, load, at, "drop after")
        [(kept,)] = database.sql(f"SELECT count(*) FROM {table} WHERE id < 2500")
        assert kept == 2500
        database.target(atomic=False).publish(publication, load, quiet)
        assert database.sql(f"SELECT count(*), min(title), max(title) FROM {table}") == [(2500, "new", "new")]
