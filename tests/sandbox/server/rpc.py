"""envd's remote calls: the Connect protocol with JSON, framed by hand."""

from __future__ import annotations

import base64
import json
import queue
import struct
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandbox.server import filesystem
from sandbox.server.processes import Process

if TYPE_CHECKING:
    from sandbox.server.sandboxes import Sandbox
    from sandbox.server.wire import Wire

STATUS = {
    "invalid_argument": 400,
    "unauthenticated": 401,
    "not_found": 404,
    "already_exists": 409,
    "internal": 500,
    "unimplemented": 501,
}
STREAM = "application/connect+json"
Message = dict[str, Any]


class RpcError(Exception):
    """An answer that is an error: `code` is a word of the protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def serve(wire: Wire, sandbox: Sandbox) -> None:
    """Answer one call."""
    service, _, method = wire.route.strip("/").partition("/")
    if service == "process.Process" and method in ("Start", "Connect", "StreamInput"):
        {"Start": _start, "Connect": _connect, "StreamInput": _stream_input}[method](wire, sandbox)
        return
    asked = wire.json_body()
    try:
        if service == "filesystem.Filesystem":
            found = filesystem.call(sandbox, method, asked)
        elif service == "process.Process" and method in UNARY:
            found = UNARY[method](sandbox, asked)
        else:
            raise RpcError("unimplemented", f"{wire.route} is not known")  # noqa: TRY301
    except (RpcError, filesystem.RefusedError) as error:
        wire.answer(STATUS[error.code], {"code": error.code, "message": str(error)})
    else:
        wire.answer(200, found)


def frame(message: object, flag: int = 0) -> bytes:
    """Return a message as it goes over the wire."""
    data = json.dumps(message).encode()
    return struct.pack(">BI", flag, len(data)) + data


def frames(pieces: Iterator[bytes]) -> Iterator[Message]:
    """Yield the messages of a request's body as they come."""
    buffer = b""
    for piece in pieces:
        buffer += piece
        while len(buffer) >= 5 and len(buffer) >= 5 + (size := struct.unpack(">I", buffer[1:5])[0]):
            flag, data, buffer = buffer[0], buffer[5 : 5 + size], buffer[5 + size :]
            if not flag & 2:
                yield json.loads(data)


def _process(sandbox: Sandbox, asked: Message) -> Process:
    pid = asked["process"]["pid"]
    process = sandbox.processes.find(pid)
    if process is None:
        raise RpcError("not_found", f"process with pid {pid} not found")
    return process


def _start(wire: Wire, sandbox: Sandbox) -> None:
    [asked] = frames(wire.pieces())
    wire.begin_stream(STREAM)
    try:
        process = sandbox.processes.start(
            asked["process"], stdin=asked.get("stdin", True), tag=asked.get("tag")
        )
    except NotADirectoryError as error:
        _end(wire, {"error": {"code": "invalid_argument", "message": str(error)}})
        return
    listener = process.listen()
    threading.Thread(target=process.follow, daemon=True).start()
    # The deadline is the command's, whoever still listens; it hits one process, not its children.
    if limit := _limit(wire):
        timer = threading.Timer(limit, process.popen.kill)
        timer.daemon = True
        timer.start()
    _stream(wire, sandbox, process, listener)


def _connect(wire: Wire, sandbox: Sandbox) -> None:
    [asked] = frames(wire.pieces())
    wire.begin_stream(STREAM)
    try:
        process = _process(sandbox, asked)
    except RpcError as error:
        _end(wire, {"error": {"code": error.code, "message": str(error)}})
        return
    _stream(wire, sandbox, process, process.listen())


def _stream(wire: Wire, sandbox: Sandbox, process: Process, listener: Any) -> None:
    deadline = time.monotonic() + (_limit(wire) or float("inf"))
    ping = time.monotonic() + int(wire.headers.get("Keepalive-Ping-Interval", 50))
    try:
        wire.send_piece(frame({"event": {"start": {"pid": process.pid}}}))
        while True:
            try:
                message = listener.waiting.get(timeout=0.05)
            except queue.Empty:
                message = None
            if not sandbox.alive or wire.client_left():
                wire.cut()
            if message:
                wire.send_piece(frame(message))
                if "end" in message["event"]:
                    _end(wire, {})
                    return
            elif time.monotonic() > deadline:
                _end(wire, {"error": {"code": "deadline_exceeded", "message": "the deadline is over"}})
                return
            elif time.monotonic() > ping:
                ping = time.monotonic() + 50
                wire.send_piece(frame({"event": {"keepalive": {}}}))
    finally:
        process.leave(listener)


def _limit(wire: Wire) -> float:
    """The seconds that a command may take; 0 is no limit."""
    return int(wire.headers.get("Connect-Timeout-Ms", 0)) / 1000


def _end(wire: Wire, trailer: Message) -> None:
    wire.send_piece(frame(trailer, flag=2))
    wire.end_stream()


def _stream_input(wire: Wire, sandbox: Sandbox) -> None:
    process: Process | None = None
    failed: Message = {}
    for message in frames(wire.pieces()):
        try:
            if "start" in message:
                process = _process(sandbox, message["start"])
            elif process and "data" in message:
                _feed(process, message["data"]["input"])
        except RpcError as error:
            failed = {"error": {"code": error.code, "message": str(error)}}
    wire.begin_stream(STREAM)
    if not failed:
        wire.send_piece(frame({}))
    _end(wire, failed)


def _feed(process: Process, given: Message) -> None:
    if process.popen.stdin is None:
        raise RpcError("internal", "stdin is not open")
    try:
        process.popen.stdin.write(base64.b64decode(given.get("stdin", "")))
        process.popen.stdin.flush()
    except (BrokenPipeError, ValueError):
        raise RpcError("internal", "stdin is closed") from None


def _send_input(sandbox: Sandbox, asked: Message) -> Message:
    _feed(_process(sandbox, asked), asked["input"])
    return {}


def _close_stdin(sandbox: Sandbox, asked: Message) -> Message:
    process = _process(sandbox, asked)
    if process.popen.stdin:
        process.popen.stdin.close()
    return {}


def _signal(sandbox: Sandbox, asked: Message) -> Message:
    process = _process(sandbox, asked)
    if process.end:
        raise RpcError("not_found", "the process has ended")
    (process.popen.kill if asked["signal"] == "SIGNAL_SIGKILL" else process.popen.terminate)()
    return {}


def _list(sandbox: Sandbox, asked: Message) -> Message:
    return {
        "processes": [
            {"pid": p.pid, "config": p.config, **({"tag": p.tag} if p.tag else {})}
            for p in sandbox.processes.running()
        ]
    }


UNARY = {"SendInput": _send_input, "CloseStdin": _close_stdin, "SendSignal": _signal, "List": _list}
