"""Memory and disk: said before the run where it can be foretold, told from a crash where it can't."""

import os
import signal
import subprocess

import pytest
from run.plans import model, plan_of
from sandbox.actions import AtFirstEvent
from sandbox.plans import film_plan, launch
from sandbox.server.jail import ROOTED
from sandbox.server.limits import can_limit_memory

from osiris_sql.launchers.e2b.remote import FOLDER, POLL
from osiris_sql.launchers.e2b.room import Machine, warn_of_size
from osiris_sql.types.diagnostic import UnreachableError
from osiris_sql.types.settings import PINNED_SETTINGS

GB = 1 << 30
LONG = "SELECT count(*)::INTEGER AS id FROM range(100000) a, range(100000) b WHERE hash(a.range, b.range) = 1"
# 100 MB of text that DuckDB must hold at once, and that its own limit does not keep it from holding.
GREEDY = "SELECT length(string_agg(repeat(md5(range::VARCHAR), 1000), ''))::INTEGER AS id FROM range(20000)"
BIG = "SELECT range::INTEGER AS id, md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS t FROM range(2000000)"
rooted = pytest.mark.skipif(not ROOTED, reason="needs root for mounts and control groups")


@pytest.mark.parametrize(
    ("limit", "memory_mb", "shipped", "here", "said"),
    [
        ("", 4096, {"a.csv": GB}, {}, []),
        ("8GiB", 4096, {}, {}, ["memory_limit is 8192 MB, the sandbox has 4096 MB: it may be killed for it"]),
        (
            "",
            512,
            {},
            {},
            ["the sandbox has 512 MB of memory, and memory_limit is not set: it may be killed"],
        ),
        ("400MB", 512, {}, {}, []),
        (
            "",
            4096,
            {},
            {"model:a": 5 * GB},
            ["model:a has 5120 MB, more than the memory of 4096 MB: it will be slow"],
        ),
        (
            "",
            4096,
            {"a.csv": 4 * GB},
            {"model:a": 4 * GB, "model:b": 4 * GB},
            ["the plan needs about 12288 MB of disk, the sandbox has 10240 MB free"],
        ),
    ],
)
def test_what_is_too_big_is_foretold(limit, memory_mb, shipped, here, said):
    settings = {**PINNED_SETTINGS, **({"memory_limit": limit} if limit else {})}
    plan = plan_of(model("a", "SELECT 1 AS id"), engine_settings=settings)
    machine = Machine(memory_mb=memory_mb, free_disk=10 * GB)
    assert list(warn_of_size(plan, machine, shipped, here)) == said


def test_the_warning_comes_before_the_run(root, server, environ, capfd):
    server.sandboxes.limits.told_mb = 512
    said_at_first_event = []
    run = launch(
        film_plan(root),
        root,
        environ,
        sinks=[AtFirstEvent(lambda: said_at_first_event.append(capfd.readouterr().err))],
    )
    assert run.exit_code == 0
    assert "warning: the sandbox has 512 MB of memory" in said_at_first_event[0]


@rooted
def test_a_disk_that_fills_up_while_uploading_is_said(root, server, environ, capfd):
    server.sandboxes.limits.disk_mb = 3
    with pytest.raises(UnreachableError) as failed:
        launch(film_plan(root, text="id,title\n" + "1,Alien and Brazil\n" * 200_000), root, environ)
    assert failed.value.diagnostics[0].rule == "e2b-disk"
    assert "of disk, the sandbox has 3 MB free" in capfd.readouterr().err
    assert server.sandboxes.running() == []


@rooted
def test_a_disk_that_fills_up_while_running_is_told_from_a_crash(root, server, environ):
    server.sandboxes.limits.disk_mb = 60
    plan = plan_of(model("a", BIG, columns="id INTEGER, t VARCHAR"), model("b", "SELECT 1 AS id"))
    run = launch(plan, root, environ)
    found = {step.step: (step.status, [d.rule for d in step.diagnostics]) for step in run.result.steps}
    # DuckDB keeps what it has of the disk, so the last events may fit or not.
    assert (run.exit_code, run.rules) in [(1, []), (3, ["e2b-disk"])]
    if run.exit_code == 1:
        assert found["materialize.a"] == ("failed", ["disk-full"])
    assert all(d.rule != "internal-error" for step in run.result.steps for d in step.diagnostics)
    assert server.sandboxes.running() == []


@pytest.mark.parametrize(("written", "heard"), [("", "gone"), ("1\n", "1"), (None, "gone")])
def test_a_worker_whose_exit_code_found_no_room_is_gone(tmp_path, written, heard):
    run = tmp_path / FOLDER / "run"
    run.mkdir(parents=True)
    ended = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    (run / "pid").write_text(ended.stdout)
    if written is not None:
        (run / "exit").write_text(written)
    told = subprocess.run(["sh", "-c", POLL % 1], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[0] == heard


def test_out_of_memory_by_duckdbs_own_limit_fails_the_step(root, environ):
    settings = {**PINNED_SETTINGS, "memory_limit": "50MB", "max_temp_directory_size": "0GB"}
    plan = plan_of(model("a", GREEDY), model("b", "SELECT 1 AS id"), engine_settings=settings)
    run = launch(plan, root, environ)
    assert run.exit_code == 1
    found = {step.step: (step.status, [d.rule for d in step.diagnostics]) for step in run.result.steps}
    assert found == {"materialize.a": ("failed", ["out-of-memory"]), "materialize.b": ("success", [])}


@pytest.mark.skipif(not (ROOTED and can_limit_memory()), reason="needs control groups for memory")
def test_a_kill_by_the_kernel_for_want_of_memory_is_told_from_any_other(root, server, environ):
    server.sandboxes.limits.memory_mb = 160
    settings = {**PINNED_SETTINGS, "memory_limit": "4GB"}
    run = launch(plan_of(model("a", GREEDY), engine_settings=settings), root, environ)
    assert (run.exit_code, run.rules) == (3, ["e2b-memory"])
    assert run.result.unfinished == ("materialize.a",)
    assert server.sandboxes.running() == []


def test_a_worker_that_is_killed_is_told_from_one_that_failed(root, server, environ):
    def kill() -> None:
        [sandbox] = server.sandboxes.running()
        pid = int((sandbox.home / "osiris/run/worker.pid").read_text())
        os.kill(pid, signal.SIGKILL)

    run = launch(plan_of(model("a", LONG)), root, environ, sinks=[AtFirstEvent(kill)])
    assert (run.exit_code, run.rules) == (3, ["e2b-killed"])
    assert run.result.unfinished in ((), ("materialize.a",))
    assert server.sandboxes.running() == []
