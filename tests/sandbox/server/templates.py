"""Template builds, as far as asking for one goes: a recipe and its files are kept, nothing is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.server import E2BServer
    from sandbox.server.wire import Wire

START = re.compile(r"^/v2/templates/([^/]+)/builds/([^/]+)$")
FILES = re.compile(r"^/templates/([^/]+)/files/([0-9a-f]{64})$")
STATUS = re.compile(r"^/templates/([^/]+)/builds/([^/]+)/status$")


def serve(wire: Wire, server: E2BServer) -> None:
    """Answer one call; a template whose name begins with `failing` can't be built."""
    asked = wire.json_body()
    if wire.command == "POST" and wire.route == "/v3/templates":
        name, number = asked["name"], f"b{len(server.builds)}"
        server.builds[number] = asked
        names = {"names": [name], "tags": ["default"], "aliases": [name]}
        wire.answer(202, {"templateID": name, "buildID": number, "public": False, **names})
    elif wire.command == "GET" and (found := FILES.match(wire.route)):
        present = found[2] in server.uploads
        wire.answer(201, {"present": present, "url": f"{server.url}/uploads/{found[2]}"})
    elif found := START.match(wire.route):
        server.builds[found[2]] |= asked
        wire.answer(202)
    elif found := STATUS.match(wire.route):
        failed = found[1].startswith("failing")
        if not failed:
            server.templates.add(found[1])
        status = {"templateID": found[1], "buildID": found[2], "status": "error" if failed else "ready"}
        reason = {"reason": {"message": "pip failed"}} if failed else {}
        wire.answer(200, {**status, "logs": [], "logEntries": [], **reason})
    else:
        wire.fail(404, f"no such route: {wire.command} {wire.route}")
