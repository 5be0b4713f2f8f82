"""The line to the REST API breaks, stalls or is slow anywhere in a delivery: the table has the old rows or
the new ones, the error says what to do, and the next delivery ends in the new ones, each once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from servers.tcp_proxy import TcpProxy, tcp_proxy
from targets.delivering import counts, films, quiet
from targets.plain_tables import make_table, running_plain
from targets.test_supabase_killed import AFTER, BATCH, MODES

from osiris_sql.targets.supabase.rest import wire
from osiris_sql.types.diagnostic import UnreachableError

OLD = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
BEFORE = {(1, "Alien"), (2, "Heat"), (3, "Fargo")}
STEPS = 4
_names = itertools.count()


@pytest.fixture(scope="module")
def api(postgres):
    with running_plain(postgres, "plain_lines") as made:
        yield made


class Line:
    """A table, and a target that reaches it through a proxy."""

    def __init__(self, database, server, proxy: TcpProxy, table: str, **options) -> None:
        self.database, self.server, self.proxy, self.table = database, server, proxy, table
        self.options = {"url": f"http://127.0.0.1:{proxy.port}", **options}

    def target(self, **more):
        return self.database.target(**self.options, **more)

    def clear(self) -> None:
        self.proxy.heal()
        self.database.sql(
            f"TRUNCATE {self.table}; INSERT INTO {self.table} VALUES (1, 'Alien'), (2, 'Heat'), (3, 'Fargo')"
        )

    def rows(self) -> list[tuple]:
        return self.database.sql(f"SELECT id, title FROM {self.table} ORDER BY 1, 2")


@pytest.fixture(params=["functions", "plain"])
def line(request, monkeypatch) -> Iterator[Line]:
    monkeypatch.setattr(wire, "pause", lambda attempt: 0.01)
    table = f"film{next(_names)}"
    if request.param == "plain":
        database, server = request.getfixturevalue("api")
        make_table(database, server, table)
    else:
        database, server = request.getfixturevalue("database"), request.getfixturevalue("rest_server")
        database.sql(f"CREATE TABLE {table} (id integer PRIMARY KEY, title text)")
    with tcp_proxy(server.port) as proxy:
        yield Line(database, server, proxy, table, **({"atomic": False} if request.param == "plain" else {}))


@pytest.fixture
def channel() -> str:
    return "rest"


def states(line: Line, mode: str) -> list[set]:
    half = [AFTER["upsert"]] if "atomic" in line.options and mode in ("sync", "replace") else []
    return [BEFORE, *half, AFTER[mode]]


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize(("mode", "key"), MODES)
def test_a_line_that_is_cut_anywhere(line, rows, mode, key, direction):
    if not key and "atomic" in line.options:
        pytest.skip("refused: only osiris-sql's functions replace without a key")
    line.clear()
    publication = rows.publication(BATCH, table=line.table, mode=mode, key=key)
    target = line.target()
    load = rows.load(target, publication, BATCH, "measured")
    line.proxy.heal()
    target.publish(publication, load, quiet)
    size = line.proxy.passed(direction)
    for step in range(STEPS):
        line.clear()
        target = line.target()
        load = rows.load(target, publication, BATCH, f"step {step}")
        line.proxy.heal()
        line.proxy.cut_after(size * step // STEPS, direction)
        with pytest.raises(UnreachableError) as caught:
            target.publish(publication, load, quiet)
        [found] = caught.value.diagnostics
        assert (found.rule, "then try again" in found.fix) == ("unreachable", True)
        line.proxy.heal()
        assert set(line.rows()) in states(line, mode)
        assert len(line.rows()) == len(set(line.rows()))
        line.target().publish(publication, load, quiet)
        assert line.rows() == sorted(AFTER[mode])


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("size", [200, 900])
def test_a_line_that_stalls_is_left_and_tried_again(line, rows, monkeypatch, direction, size):
    line.clear()
    healed = []
    monkeypatch.setattr(wire, "pause", lambda attempt: healed.append(line.proxy.heal()) or 0.01)
    monkeypatch.setattr(wire, "SILENCE", 0.5)
    publication = rows.publication(BATCH, table=line.table, mode="sync")
    target = line.target()
    load = rows.load(target, publication, BATCH, "stalled")
    line.proxy.heal()
    line.proxy.stall_after(size, direction)
    done = target.publish(publication, load, quiet)
    assert healed
    assert (done.sent, line.rows()) == (3, sorted(AFTER["sync"]))


def test_a_line_that_stalls_for_good_is_said_to_be_lost(line, rows, monkeypatch):
    line.clear()
    monkeypatch.setattr(wire, "SILENCE", 0.2)
    publication = rows.publication(BATCH, table=line.table, mode="sync")
    target = line.target()
    load = rows.load(target, publication, BATCH, "stalled")
    line.proxy.stall_after(0)
    with pytest.raises(UnreachableError) as caught:
        target.publish(publication, load, quiet)
    assert "Timeout" in caught.value.diagnostics[0].why
    line.proxy.heal()
    monkeypatch.setattr(wire, "SILENCE", 90.0)
    line.target().publish(publication, load, quiet)
    assert line.rows() == sorted(AFTER["sync"])


def test_a_slow_line_is_no_lost_one(line, rows, monkeypatch):
    monkeypatch.setattr(wire, "SILENCE", 2.0)
    line.clear()
    line.proxy.throttle(1_000_000, "up")
    many = "SELECT i::INTEGER AS id, repeat(md5(i::VARCHAR), 16) AS title FROM range(4000) AS t(i)"
    publication, said = rows.publication(many, table=line.table, mode="sync", max_deleted=1.0), []
    target = line.target()
    load = rows.load(target, publication, many, "slow")
    done = target.publish(publication, load, lambda count, message: said.append(message))
    assert counts(done)[-1] == 4000
    assert not any("trying again" in message for message in said)
