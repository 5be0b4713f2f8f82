"""What goes wrong is retried where that is safe, and said plainly where it is not; no sandbox is left."""

import dataclasses
import importlib.metadata
import threading

import pytest
from run.plans import model, plan_of
from sandbox.actions import AtFirstEvent
from sandbox.plans import FILMS, film_plan, launch
from sandbox.server.faults import Cut, Refusal

from osiris_sql.launchers.e2b import cargo, remote
from osiris_sql.types.diagnostic import OsirisError, ProjectError, StepError, UnreachableError


@pytest.fixture(autouse=True)
def _no_sandbox_is_left(server):
    yield
    assert server.sandboxes.running() == []


@pytest.fixture
def plan(root):
    return film_plan(root)


@pytest.mark.parametrize(
    "refusals",
    [
        [Refusal(429)],
        [Refusal(502), Refusal(503)],
        [Refusal(500, error_code="sandbox_create_failed")],
        [Refusal(503)] * 6,
    ],
    ids=["429", "502-503", "500", "six-503"],
)
def test_a_busy_control_plane_is_asked_again_and_makes_one_sandbox(plan, root, server, environ, refusals):
    server.faults.creates = list(refusals)
    assert launch(plan, root, environ).exit_code == 0
    assert len(server.sandboxes.every) == 1


def test_a_lost_answer_to_create_makes_no_second_sandbox(plan, root, server, environ):
    server.faults.lost_creates = 2
    assert launch(plan, root, environ).exit_code == 0
    assert len(server.sandboxes.every) == 1


def test_a_control_plane_that_stays_busy_is_said(plan, root, server, environ):
    server.faults.creates = [Refusal(503, {"Should-Retry": "false"})] * 50
    with pytest.raises(UnreachableError) as failed:
        launch(plan, root, environ)
    assert failed.value.diagnostics[0].rule == "e2b-busy"
    assert failed.value.exit_code == 3


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"E2B_API_KEY": "e2b_" + "f" * 40}, "e2b-auth"),
        ({"OSIRIS_E2B_TEMPLATE": "nowhere"}, "e2b-template"),
        ({"E2B_API_KEY": ""}, "missing-variable"),
        ({"OSIRIS_E2B_LEASE": "soon"}, "bad-option"),
        ({"E2B_API_URL": "http://127.0.0.1:9"}, "e2b-unreachable"),
    ],
)
def test_what_does_not_fit_is_named_before_a_run_begins(plan, root, environ, change, rule):
    with pytest.raises(OsirisError) as failed:
        launch(plan, root, {**environ, **change})
    assert failed.value.diagnostics[0].rule == rule


def test_an_upload_that_is_cut_is_sent_again(plan, root, server, environ):
    server.faults.cuts = [Cut("/files", 0), Cut("/files", 20)]
    assert launch(plan, root, environ).exit_code == 0


class CutLater:
    """A sink that, from the first event on, cuts every other poll at another place."""

    def __init__(self, server) -> None:
        self.server, self.count = server, 0

    def emit(self, event) -> None:
        self.count += 1
        self.server.faults.cuts.append(Cut("/process.Process/Start", 60 * self.count))

    def close(self) -> None:
        pass


def test_cut_polls_lose_no_event_and_repeat_none(plan, root, server, environ):
    run = launch(plan, root, environ, sinks=[CutLater(server)])
    assert run.exit_code == 0, run.result.diagnostics
    there = (server.sandboxes.every[0].home / "osiris/run/events.jsonl").read_text()
    assert (run.folder / "events.jsonl").read_text() == there


def test_a_network_that_is_away_for_a_while_is_waited_for(root, server, environ):
    def go_away() -> None:
        server.faults.stalled.set()
        threading.Timer(1.5, server.faults.stalled.clear).start()

    plan = plan_of(model("a", SOME_SECONDS), model("b", "SELECT 1 AS id"))
    run = launch(plan, root, environ, sinks=[AtFirstEvent(go_away)])
    assert (run.exit_code, run.result.status) == (0, "success")
    assert [event.seq for event in run.events] == list(range(len(run.events)))


def test_a_link_that_falls_silent_is_given_up_and_tried_again(root, server, environ, monkeypatch):
    monkeypatch.setattr(remote, "LOOK", 1)

    def fall_silent() -> None:
        server.faults.silent.set()
        threading.Timer(2.5, server.faults.silent.clear).start()

    plan = plan_of(model("a", SOME_SECONDS), model("b", "SELECT 1 AS id"))
    run = launch(plan, root, environ, sinks=[AtFirstEvent(fall_silent)])
    assert (run.exit_code, run.result.status) == (0, "success")
    assert [event.seq for event in run.events] == list(range(len(run.events)))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_call_that_fails_while_following_is_made_again(root, server, environ, status):
    def fail() -> None:
        server.faults.polls = [status] * 3

    run = launch(plan_of(model("a", SOME_SECONDS)), root, environ, sinks=[AtFirstEvent(fail)])
    assert (run.exit_code, run.result.status) == (0, "success")
    assert [event.seq for event in run.events] == list(range(len(run.events)))
    assert server.faults.polls == []


def test_the_lease_is_renewed_while_the_run_goes_on(root, server, environ):
    run = launch(plan_of(model("a", SOME_SECONDS)), root, {**environ, "OSIRIS_E2B_LEASE": "4"})
    assert run.exit_code == 0
    assert server.transcript.count("/timeout") >= 1


SOME_SECONDS = (
    "SELECT count(*)::INTEGER AS id FROM range(20000) a, range(20000) b WHERE hash(a.range, b.range) = 1"
)
SLOW = "SELECT count(*)::INTEGER AS id FROM range(100000) a, range(100000) b WHERE hash(a.range, b.range) = 1"


@pytest.mark.parametrize("how", ["expired", "killed"])
def test_a_sandbox_that_ends_in_the_middle_leaves_steps_unknown(root, server, environ, how):
    def end() -> None:
        [sandbox] = server.sandboxes.running()
        if how == "expired":
            sandbox.lease(0)
        else:
            server.sandboxes.kill(sandbox)

    run = launch(plan_of(model("a", SLOW)), root, environ, sinks=[AtFirstEvent(end)])
    assert (run.exit_code, run.rules) == (3, ["e2b-lost"])
    assert run.result.status == "failed"


@pytest.mark.parametrize(
    "path", ["plan.json", "code.zip", "manifest.json", "boot.py", "project/data/films.csv"]
)
def test_other_bytes_on_the_far_side_are_refused_before_anything_runs(plan, root, server, environ, path):
    def tamper(name: str, data: bytes) -> bytes:
        return data + b"\n" if name.endswith(path) else data

    server.faults.tamper = tamper
    with pytest.raises(UnreachableError) as failed:
        launch(plan, root, environ)
    diagnostic = failed.value.diagnostics[0]
    assert path in diagnostic.message + diagnostic.why
    assert diagnostic.rule == ("e2b-crashed" if path == "boot.py" else "e2b-not-the-same")
    assert not (server.sandboxes.every[0].home / "osiris/run/events.jsonl").exists()


def test_another_duckdb_on_the_far_side_names_both_versions(plan, root, environ, monkeypatch):
    real = importlib.metadata.version
    monkeypatch.setattr(cargo, "version", lambda name: "1.4.0" if name == "duckdb" else real(name))
    with pytest.raises(UnreachableError) as failed:
        launch(plan, root, environ)
    [diagnostic] = failed.value.diagnostics
    assert diagnostic.message == "duckdb in the sandbox is not the same as here"
    assert f"here 1.4.0, in the sandbox {real('duckdb')}" in diagnostic.why


def test_a_full_disk_is_said(plan, root, server, environ):
    server.faults.disk_full = True
    with pytest.raises(UnreachableError) as failed:
        launch(plan, root, environ)
    assert failed.value.diagnostics[0].rule == "e2b-disk"


def test_a_source_file_that_changed_after_planning_goes_nowhere(plan, root, server, environ):
    (root / "data" / "films.csv").write_text("id,title\n")
    with pytest.raises(StepError) as failed:
        launch(plan, root, environ)
    assert failed.value.diagnostics[0].rule == "source-moved"
    assert server.sandboxes.every == []


def test_a_target_outside_the_project_is_refused(root, server, environ):
    with pytest.raises(ProjectError) as failed:
        launch(film_plan(root, target="../app.duckdb"), root, environ)
    assert failed.value.diagnostics[0].rule == "outside-the-project"


def test_a_failing_step_is_a_result_not_a_fault(root, environ):
    run = launch(
        plan_of(model("a", "SELECT 'x'::INTEGER AS id"), model("b", "SELECT 1 AS id")), root, environ
    )
    assert run.exit_code == 1
    assert [step.status for step in run.result.steps] == ["failed", "success"]


def test_what_changed_here_meanwhile_is_not_overwritten(plan, root, environ):
    assert launch(plan, root, environ, run_id="r1").exit_code == 0
    before = (root / "out" / "app.duckdb").read_bytes()
    again = film_plan(root, text=FILMS.replace("Alien", "Aliens"))
    touched = AtFirstEvent(lambda: (root / "out" / "app.duckdb").write_bytes(before + b"mine"))
    run = launch(again, root, environ, run_id="r2", sinks=[touched])
    assert (run.exit_code, run.rules) == (1, ["changed-meanwhile"])
    assert (root / "out" / "app.duckdb").read_bytes() == before + b"mine"
    assert (run.folder / "artifacts.tar").exists()


def test_a_plan_for_another_version_fails_there_as_here(plan, root, environ):
    wrong = dataclasses.replace(plan, versions={"osiris-sql": "0.0.1"})
    here, there = (launch(wrong, root, environ, on=place, run_id=place) for place in ("local", "e2b"))
    assert here.exit_code == there.exit_code == 2
    assert here.rules == there.rules == ["another-version"]
