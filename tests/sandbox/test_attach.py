"""A client that is killed, or that leaves on purpose, is followed by another one: no gap, no duplicate."""

import json
import signal

import pytest
from sandbox.clients import client, read_until
from sandbox.plans import film_plan, launch, titles_in

from osiris_sql import api
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import OsirisError


def there(server, number=0):
    return (server.sandboxes.every[number].home / "osiris/run/events.jsonl").read_text()


def here(root, run_id="r1"):
    return (root / ".osiris" / "runs" / run_id / "events.jsonl").read_text()


def follow_to_the_end(root, server, environ):
    """Attach to a run whose client is gone, and find all that it said and did, once."""
    result = api.attach_run(root, "r1", environ)
    assert (result.status, result.exit_code, len(result.steps)) == ("success", 0, 3)
    assert here(root) == there(server)
    folder = root / ".osiris/runs/r1"
    assert json.loads((folder / "run_results.json").read_text())["status"] == "success"
    assert (folder / "run_card.json").exists()
    assert not (folder / "remote.json").exists()
    assert server.sandboxes.running() == []


EVENTS = 8


@pytest.mark.parametrize(
    "when",
    [
        *({"KILL_AFTER": str(seq)} for seq in range(EVENTS - 1)),
        {"KILL_AFTER": "end"},
        {"KILL_BEFORE": "0"},
        {"KILL_BEFORE": "end"},
    ],
    ids=str,
)
def test_a_client_killed_at_any_event_is_followed_without_gap_or_duplicate(root, server, environ, when):
    with client(root, {**environ, **when}, "quick") as process:
        assert process.wait(60) == -signal.SIGKILL, process.stderr.read()
    follow_to_the_end(root, server, environ)
    assert len(here(root).splitlines()) == EVENTS


def test_a_client_killed_after_everything_arrived_is_followed_too(root, server, environ):
    fetching = {**environ, "OSIRIS_E2B_FETCH": "1", "KILL_BEFORE": "end"}
    with client(root, fetching, "films") as process:
        assert process.wait(60) == -signal.SIGKILL, process.stderr.read()
    assert titles_in(root / ".osiris" / "dev.duckdb") == titles_in(root / "out" / "app.duckdb")
    follow_to_the_end(root, server, fetching)
    assert titles_in(root / "out" / "app.duckdb")[0] == "ALIEN"


def test_a_client_killed_in_the_middle_of_a_step_and_of_a_line_is_followed_too(root, server, environ):
    with client(root, environ, "seconds") as process:
        read_until(process, "step_started materialize.b")
        process.kill()
    with (root / ".osiris/runs/r1/events.jsonl").open("a") as file:
        file.write('{"half a li')
    follow_to_the_end(root, server, environ)


def test_who_leaves_on_purpose_comes_back_for_events_and_files(root, server, environ):
    plan = film_plan(root)
    away = launch(plan, root, {**environ, "OSIRIS_E2B_DETACH": "1"}, run_id="r1")
    assert (away.exit_code, away.events) == (0, [])
    assert len(server.sandboxes.running()) == 1
    assert not (root / "out").exists()
    (root / ".osiris/runs/r1/plan.json").write_text(wire.to_document(plan))
    result = api.attach_run(root, "r1", environ)
    assert result.status == "success"
    assert here(root) == there(server)
    assert (root / "out" / "app.duckdb").exists()
    assert server.sandboxes.running() == []


def test_a_sandbox_that_is_gone_is_said(root, server, environ):
    with client(root, environ, "endless") as process:
        read_until(process, "step_started materialize.b")
        process.kill()
    [sandbox] = server.sandboxes.running()
    server.sandboxes.kill(sandbox)
    result = api.attach_run(root, "r1", environ)
    assert (result.exit_code, result.diagnostics[0].rule) == (3, "e2b-lost")
    assert result.unfinished == ("materialize.b",)


def test_what_can_not_be_attached_is_named(root, environ):
    with pytest.raises(OsirisError) as failed:
        api.attach_run(root, "nothing", environ)
    assert failed.value.diagnostics[0].rule == "no-such-run"
    run = launch(film_plan(root), root, environ, on="local", run_id="r1")
    (run.folder / "plan.json").write_text(wire.to_document(run.plan))
    with pytest.raises(OsirisError) as failed:
        api.attach_run(root, "r1", environ)
    assert failed.value.diagnostics[0].rule == "nothing-to-attach"


def test_what_is_left_behind_is_collected_and_nobody_elses(root, server, environ, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    detached = {**environ, "OSIRIS_E2B_DETACH": "1"}
    launch(film_plan(other), other, detached, run_id="theirs")
    launch(film_plan(root), root, detached, run_id="r1")
    launch(film_plan(root), root, detached, run_id="r2")
    (root / ".osiris/runs/r2/remote.json").unlink()
    theirs, first, second = server.sandboxes.every
    assert api.collect_sandboxes(root, environ) == [second.id]
    assert api.collect_sandboxes(root, environ, every=True) == [first.id]
    assert server.sandboxes.running() == [theirs]
