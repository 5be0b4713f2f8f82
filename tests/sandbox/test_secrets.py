"""A canary: its value goes through the worker's standard input, and is found nowhere else."""

import base64
from dataclasses import replace
from pathlib import Path

from sandbox.plans import connection, film_plan, launch

from osiris_sql.support.secrets import Redactor

CANARY = "canary/9f27+Tz &ö='x'"


class Spy:
    """A sink that looks at the environment of everything in the sandbox while it runs."""

    def __init__(self, server) -> None:
        self.server = server
        self.seen = b""
        self.commands = b""

    def emit(self, event) -> None:
        for sandbox in self.server.sandboxes.running():
            self.seen += sandbox.processes.environments()
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.commands += path.read_bytes()
                except OSError:
                    continue

    def close(self) -> None:
        pass


def found_in(data: bytes) -> bool:
    """Say whether the canary is in `data`, plain or encoded in any way that is masked."""
    text = data.decode("utf-8", "replace")
    return Redactor([CANARY])(text) != text


def left_behind(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_value_goes_through_standard_input_and_is_nowhere_else(root, server, environ):
    plan = film_plan(root)
    shop = connection("shop", "mysql", "source", ("SHOP_PASSWORD",), password="${SHOP_PASSWORD}", host="h")
    plan = replace(plan, connections=(*plan.connections, shop))
    spy = Spy(server)
    run = launch(plan, root, {**environ, "SHOP_PASSWORD": CANARY, "OTHER": "not-asked-for-77"}, sinks=[spy])
    assert run.exit_code == 0, run.result.diagnostics

    # On the wire: once, in the stream to standard input, and only what the plan names.
    stream = "/process.Process/StreamInput"
    assert not found_in(server.transcript.bytes_of(without=stream))
    sent = server.transcript.bytes_of(stream)
    start = sent.index(b'"stdin":"') + 9
    line = base64.b64decode(sent[start : sent.index(b'"', start)]).decode()
    assert line.count("SHOP_PASSWORD") == 1
    assert found_in(line.encode())
    assert "not-asked-for" not in line

    # In no file on either side.
    there = server.sandboxes.every[0].home
    for folder in (root, there):
        files = left_behind(folder)
        assert files
        assert [path for path, data in files.items() if found_in(data)] == []

    # In no environment and on no command line.
    assert b"E2B_SANDBOX=true" in spy.seen
    assert b"boot.py" in spy.commands
    assert not found_in(spy.seen)
    assert not found_in(spy.commands)

    # Nor does the API key enter the sandbox.
    key = server.api_key.encode()
    assert key not in spy.seen
    assert [path for path, data in left_behind(there).items() if key in data] == []


def test_a_failing_connection_says_no_secret(root, server, environ):
    plan = film_plan(root)
    extract, *rest = plan.steps
    options = {"password": "${SHOP_PASSWORD}", "host": "127.0.0.1", "port": 1, "user": "u", "database": "d"}
    shop = connection("cinema", "mysql", "source", ("SHOP_PASSWORD",), **options)
    steps = (replace(extract, files={}), *rest)
    plan = replace(plan, steps=steps, connections=(shop, plan.connections[1]))
    run = launch(plan, root, {**environ, "SHOP_PASSWORD": CANARY})
    assert run.exit_code == 1
    assert run.result.steps[0].diagnostics
    assert not found_in((run.folder / "events.jsonl").read_bytes())
    assert not found_in(server.transcript.bytes_of(without="StreamInput"))
