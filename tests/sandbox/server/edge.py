"""The way into a sandbox: routing, tokens, envd over HTTP."""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.server import rpc
from sandbox.server.jail import ROOTED

if TYPE_CHECKING:
    from sandbox.server import E2BServer
    from sandbox.server.sandboxes import Sandbox
    from sandbox.server.wire import Wire


def serve(wire: Wire, server: E2BServer) -> None:
    """Answer one call to a sandbox."""
    if server.faults.stalled.is_set():
        wire.cut()
    while server.faults.silent.is_set():
        # The link is there, and nothing comes over it.
        if wire.client_left():
            wire.cut()
        time.sleep(0.02)
    if status := server.faults.next_status():
        wire.body()
        wire.fail(status, "refused on demand")
        return
    id_ = wire.headers["E2b-Sandbox-Id"]
    sandbox = server.sandboxes.find(id_)
    if sandbox is None:
        wire.body()
        gone = {"sandboxId": id_, "message": "The sandbox was not found", "code": 502}
        wire.answer(502, gone)
    elif wire.route == "/health":
        wire.answer(204)
    elif wire.headers.get("X-Access-Token") != sandbox.token:
        wire.body()
        wire.fail(401, "the access token is missing or wrong")
    elif wire.route == "/files":
        (_read if wire.command == "GET" else _write)(wire, server, sandbox)
    else:
        rpc.serve(wire, sandbox)


def _read(wire: Wire, server: E2BServer, sandbox: Sandbox) -> None:
    path = sandbox.outside(wire.query["path"])
    if not path.exists():
        wire.fail(404, f"path '{wire.query['path']}' does not exist")
    elif path.is_dir():
        wire.fail(400, f"path '{wire.query['path']}' is a directory")
    else:
        data = path.read_bytes()
        packed = "gzip" in wire.headers.get("Accept-Encoding", "")
        headers = {"Content-Encoding": "gzip"} if packed else {}
        body = gzip.compress(data, 1) if packed else data
        wire.answer(200, body, kind="application/octet-stream", headers=headers)


def _write(wire: Wire, server: E2BServer, sandbox: Sandbox) -> None:
    body, kind = wire.body(), wire.headers.get("Content-Type", "")
    if server.faults.disk_full:
        wire.fail(507, "not enough disk space available")
        return
    if kind.startswith("multipart/form-data"):
        parts = _parts(body, kind, wire.query.get("path"))
    elif kind == "application/octet-stream":
        packed = wire.headers.get("Content-Encoding") == "gzip"
        parts = [(wire.query["path"], gzip.decompress(body) if packed else body)]
    else:
        wire.fail(400, f"content type '{kind}' is not known")
        return
    written = []
    for name, data in parts:
        path = sandbox.outside(name)
        try:
            place(path, sandbox, server.faults.changed(name, data))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            wire.fail(507, "not enough disk space available")
            return
        written.append({"path": name, "name": path.name, "type": "file"})
    wire.answer(200, json.dumps(written).encode(), kind="text/plain")


def place(path: Path, sandbox: Sandbox, data: bytes) -> None:
    """Write a file with the folders above it, owned by the sandbox's account."""
    missing = []
    folder = path.parent
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if ROOTED:
        for made in [*missing, path]:
            os.chown(made, sandbox.uid, sandbox.uid)


def _parts(body: bytes, kind: str, path: str | None) -> list[tuple[str, bytes]]:
    boundary = re.search(r'boundary="?([^";]+)', kind)
    if boundary is None:
        raise ValueError("multipart without a boundary")
    mark = b"--" + boundary[1].encode()
    found = []
    for part in body.split(mark)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name = re.search(r'filename="([^"]*)"', head.decode())
        if name is None:
            raise ValueError("a part without a file name")
        found.append((path or name[1].replace("%22", '"'), data[:-2]))
    return found
