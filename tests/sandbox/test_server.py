"""The test server is believed only because the real SDK, unchanged, finds in it what E2B specifies."""

import time

import pytest
from e2b import (
    E2B,
    AuthenticationException,
    CommandExitException,
    FileNotFoundException,
    NotFoundException,
    SandboxException,
    SandboxNotFoundException,
    SandboxQuery,
    TimeoutException,
)
from e2b.exceptions import NotEnoughSpaceException, SandboxNotRunningException
from sandbox.server.faults import Cut, Refusal
from sandbox.server.jail import HOME, PYTHON, REPOSITORY, ROOTED


@pytest.fixture
def client(server):
    return E2B(api_key=server.api_key, api_url=server.url, sandbox_url=server.url)


@pytest.fixture
def box(client):
    return client.Sandbox.create("osiris-test", timeout=60, metadata={"run": "a b&c=d", "who": "me"})


def test_a_sandbox_is_created_described_listed_and_killed(client, box):
    assert box.get_info().metadata == {"run": "a b&c=d", "who": "me"}
    query = SandboxQuery(metadata={"run": "a b&c=d"})
    assert [found.sandbox_id for found in client.Sandbox.list(query=query).next_items()] == [box.sandbox_id]
    assert client.Sandbox.list(query=SandboxQuery(metadata={"run": "other"})).next_items() == []
    assert box.is_running()
    assert box.kill()
    assert not box.kill()
    assert not box.is_running()
    with pytest.raises(SandboxNotFoundException):
        client.Sandbox.connect(box.sandbox_id)


def test_lists_come_in_pages(client):
    made = {client.Sandbox.create("base").sandbox_id for _ in range(3)}
    pages = client.Sandbox.list(limit=2)
    first, second = pages.next_items(), pages.next_items()
    assert (len(first), len(second), pages.has_next) == (2, 1, False)
    assert {found.sandbox_id for found in first + second} == made


def test_a_wrong_key_and_an_unknown_template_are_refused(server, client):
    with pytest.raises(AuthenticationException):
        E2B(api_key="e2b_" + "f" * 40, api_url=server.url, sandbox_url=server.url).Sandbox.create("base")
    with pytest.raises((NotFoundException, SandboxException), match="not found"):
        client.Sandbox.create("nothing")


def test_the_same_key_makes_one_sandbox_also_when_the_answer_was_lost(server, client):
    server.faults.lost_creates = 1
    box = client.Sandbox.create("base", idempotency_key="run-1")
    assert [s.id for s in server.sandboxes.running()] == [box.sandbox_id]


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_busy_server_is_asked_again(server, client, status):
    server.faults.creates = [Refusal(status), Refusal(status)]
    client.Sandbox.create("base", idempotency_key="run-2")
    assert server.transcript.count("POST /v2/sandboxes") == 3


def test_commands_give_output_exit_codes_and_run_elsewhere(box):
    done = box.commands.run("echo out; echo err >&2; echo $E2B_SANDBOX_ID; pwd")
    assert (done.stdout, done.stderr) == (
        f"out\n{box.sandbox_id}\n{HOME}\n" if ROOTED else done.stdout,
        "err\n",
    )
    with pytest.raises(CommandExitException) as failed:
        box.commands.run("exit 7")
    assert failed.value.exit_code == 7
    with pytest.raises(SandboxException, match="does not exist"):
        box.commands.run("true", cwd="/nowhere")


@pytest.mark.skipif(not ROOTED, reason="needs root for mounts and accounts")
def test_the_sandbox_has_its_own_home_account_and_no_repository(box):
    done = box.commands.run(f"id -u; ls {REPOSITORY}; {PYTHON} -c 'import duckdb'; touch mine && ls")
    uid, *rest = done.stdout.split()
    assert int(uid) >= 200_000
    assert rest == ["mine"]


def test_standard_input_is_streamed_and_closed(box):
    handle = box.commands.run("cat", background=True, stdin=True, timeout=10)
    box.commands.stream_input(handle.pid, ["one\n", b"two\n"])
    box.commands.close_stdin(handle.pid)
    assert handle.wait().stdout == "one\ntwo\n"


def test_the_timeout_kills_one_process_and_says_so(box):
    began = time.monotonic()
    with pytest.raises(TimeoutException):
        box.commands.run("exec sleep 30", timeout=1)
    assert time.monotonic() - began < 10
    while box.commands.list():
        time.sleep(0.05)


def test_what_nobody_heard_is_lost_and_the_command_lives(box):
    handle = box.commands.run("echo early; read line; echo late", background=True, stdin=True, timeout=0)
    handle.disconnect()
    again = box.commands.connect(handle.pid, timeout=10)
    box.commands.stream_input(handle.pid, ["go\n"])
    assert again.wait().stdout in ("late\n", "early\nlate\n")
    assert not box.commands.kill(handle.pid)


def test_files_go_in_and_out_in_every_form(box, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 4096)
    box.files.write_files(
        [{"path": 'a/é "x".txt', "data": "text"}, {"path": "b.bin", "data": b"\0\r\n--\xff"}]
    )
    with big.open("rb") as file:
        box.files.write("deep/er/big", file)
    assert box.files.read('a/é "x".txt') == "text"
    assert bytes(box.files.read("b.bin", format="bytes")) == b"\0\r\n--\xff"
    assert b"".join(box.files.read("deep/er/big", format="stream")) == big.read_bytes()
    with pytest.raises(FileNotFoundException):
        box.files.read("nothing")


def test_folders_are_listed_moved_and_removed(box):
    assert box.files.make_dir("one/two")
    assert not box.files.make_dir("one/two")
    box.files.write("one/two/file", "x")
    assert [entry.name for entry in box.files.list("one", depth=3)] == ["two", "file"]
    box.files.rename("one/two/file", "three/file")
    assert box.files.exists("three/file")
    box.files.remove("three")
    assert not box.files.exists("three/file")


def test_a_lease_that_is_over_ends_the_sandbox_and_what_runs_in_it(server, client):
    box = client.Sandbox.create("base", timeout=60)
    handle = box.commands.run("exec sleep 60", background=True, timeout=0)
    box.set_timeout(0)
    with pytest.raises((SandboxNotRunningException, SandboxException)):
        handle.wait()
    with pytest.raises(SandboxNotRunningException):
        box.commands.run("true")
    assert server.sandboxes.running() == []


def test_a_cut_stream_leaves_the_command_alive(server, box):
    server.faults.cuts = [Cut("/process.Process/Start", 40)]
    with pytest.raises(Exception):  # noqa: B017 - SandboxUnreachableException, or a bare ConnectError
        box.commands.run("echo begun >begun; exec sleep 30", timeout=0)
    [left] = box.commands.list()
    assert box.commands.kill(left.pid)


def test_a_full_disk_is_said(server, box):
    server.faults.disk_full = True
    with pytest.raises(NotEnoughSpaceException):
        box.files.write("x", b"1")


def test_nothing_is_left_when_the_server_stops(tmp_path):
    from sandbox.server import e2b_server
    from sandbox.server.jail import processes_of

    with e2b_server(tmp_path) as server:
        client = E2B(api_key=server.api_key, api_url=server.url, sandbox_url=server.url)
        box = client.Sandbox.create("base")
        box.commands.run("sleep 60 & exec sleep 60", background=True, timeout=0)
        uid = server.sandboxes.every[0].uid
    assert not ROOTED or processes_of(uid) == []
