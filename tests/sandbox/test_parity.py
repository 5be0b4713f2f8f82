"""The same plan, the same bytes, the same result: here, in a child process, in a sandbox."""

import json

import duckdb
from run.plans import model, plan_of
from sandbox.plans import FILMS, film_plan, launch

from osiris_sql.api.parity import compare_launchers
from osiris_sql.launchers.e2b import courier, remote
from osiris_sql.support import wire

PLACES = ["local", "child", "e2b"]


def published(root):
    with duckdb.connect(root / "out" / "app.duckdb", read_only=True) as app:
        return app.execute("SELECT * FROM titles ORDER BY id").fetchall()


def test_facts_are_equal_byte_for_byte_and_so_is_what_was_published(tmp_path, server, environ):
    facts, rows = set(), []
    for place in PLACES:
        root = tmp_path / place
        root.mkdir()
        run = launch(film_plan(root), root, environ, on=place)
        assert run.exit_code == 0, run.result.diagnostics
        facts.add(json.dumps(run.facts, sort_keys=True))
        rows.append(published(root))
    assert len(facts) == 1
    assert json.loads(facts.pop())["code_sha256"]
    assert rows[0] == rows[1] == rows[2] == [(1, "ALIEN"), (2, "BRAZIL"), (3, 'ČESKÁ "X" 🎬')]
    assert server.sandboxes.running() == []


def test_events_are_those_that_the_worker_wrote_in_order_without_gap(root, server, environ):
    run = launch(film_plan(root), root, environ)
    there = (server.sandboxes.every[0].home / "osiris/run/events.jsonl").read_text()
    assert "".join(wire.to_json(event) + "\n" for event in run.events) == there
    assert (run.folder / "events.jsonl").read_text() == there
    assert [event.seq for event in run.events] == list(range(len(run.events)))


def test_a_difference_is_named_with_its_values(root, environ):
    # A plan that is not deterministic, which the compiler would refuse: each run gives another number.
    found = compare_launchers(
        plan_of(model("a", "SELECT uuid() AS id", columns="id UUID"), model("b", "SELECT 1 AS id")),
        root,
        ["local", "child"],
        environ,
    )
    assert [difference.fact for difference in found.differences] == ["steps/materialize.a/data"]
    assert set(found.differences[0].values) == {"local", "child"}


def test_events_arrive_whole_when_each_poll_brings_only_a_piece(root, server, environ, monkeypatch):
    monkeypatch.setattr(remote, "POLL", remote.POLL.replace(str(remote.TAIL), "700"))
    monkeypatch.setattr(courier, "TAIL", 700)
    run = launch(film_plan(root, text=FILMS + '4,"🎬\n' * 1 + '"\n'), root, environ)
    assert run.exit_code == 0, run.result.diagnostics
    there = (server.sandboxes.every[0].home / "osiris/run/events.jsonl").read_text()
    assert len(there) > 1400
    assert (run.folder / "events.jsonl").read_text() == there
