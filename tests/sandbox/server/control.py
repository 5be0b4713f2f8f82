"""The control plane: REST, JSON, strict about what it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sandbox.server import templates

if TYPE_CHECKING:
    from sandbox.server import E2BServer
    from sandbox.server.wire import Wire

ENVD_VERSION = "0.6.13"
CREATE_FIELDS = {
    *("templateID", "metadata", "envVars", "timeout", "autoPause", "autoPauseMemory", "autoResume"),
    *("allow_internet_access", "network", "iam", "volumeMounts", "mcp"),
}
ONE = re.compile(r"^/(?:v2/)?sandboxes/([^/]+)(?:/(connect|timeout|pause|metrics|network))?$")


def serve(wire: Wire, server: E2BServer) -> None:
    """Answer one call."""
    if wire.command == "PUT" and wire.route.startswith("/uploads/"):
        # Where the address is the permission.
        server.uploads[wire.route.rpartition("/")[2]] = wire.body()
        wire.answer(200)
        return
    if wire.headers.get("X-API-KEY") != server.api_key:
        wire.body()
        wire.fail(401, "the API key is not valid")
        return
    if wire.route == "/v2/sandboxes":
        (_create if wire.command == "POST" else _list)(wire, server)
    elif found := ONE.match(wire.route):
        _one(wire, server, found[1], found[2] or "")
    elif wire.command == "GET" and wire.route.startswith("/templates/aliases/"):
        alias = unquote(wire.route.rpartition("/")[2])
        if alias in server.templates:
            wire.answer(200, {"templateID": alias, "public": False})
        else:
            wire.fail(404, f"template '{alias}' not found")
    elif wire.route.startswith(("/v3/templates", "/v2/templates/", "/templates/")):
        templates.serve(wire, server)
    else:
        wire.body()
        wire.fail(404, f"no such route: {wire.command} {wire.route}")


def _create(wire: Wire, server: E2BServer) -> None:
    asked = wire.json_body()
    if refusal := server.faults.next_refusal():
        wire.fail(refusal.status, "refused on demand", error_code=refusal.error_code, **refusal.headers)
        return
    if unknown := set(asked) - CREATE_FIELDS:
        wire.fail(400, f"unknown fields: {sorted(unknown)}")
        return
    if asked["templateID"] not in server.templates:
        wire.fail(404, f"template '{asked['templateID']}' not found")
        return
    key = wire.headers.get("Idempotency-Key", "")
    sandbox = server.sandboxes.create(asked, key)
    if sandbox is None:
        wire.fail(409, "the key was used with another body", error_code="idempotency_request_mismatch")
        return
    if server.faults.take_lost_create():
        wire.fail(503, "the answer was lost", Should_Retry="true")
        return
    wire.answer(201, _opened(sandbox))


def _opened(sandbox: Any) -> dict[str, Any]:
    return {
        "templateID": sandbox.template,
        "sandboxID": sandbox.id,
        "clientID": "local",
        "envdVersion": ENVD_VERSION,
        "envdAccessToken": sandbox.token,
    }


def _info(sandbox: Any) -> dict[str, Any]:
    return {
        "templateID": sandbox.template,
        "sandboxID": sandbox.id,
        "clientID": "local",
        "startedAt": sandbox.started_at.isoformat(),
        "endAt": sandbox.end_at.isoformat(),
        "cpuCount": 2,
        "memoryMB": sandbox.memory_mb,
        "diskSizeMB": 10240,
        "state": "running",
        "envdVersion": ENVD_VERSION,
        "metadata": sandbox.metadata,
    }


def _list(wire: Wire, server: E2BServer) -> None:
    wanted = {}
    for pair in wire.query.get("metadata", "").split("&"):
        if pair:
            key, _, value = pair.partition("=")
            wanted[unquote(unquote(key))] = unquote(unquote(value))
    found = [s for s in server.sandboxes.running() if wanted.items() <= s.metadata.items()]
    found.sort(key=lambda s: s.started_at, reverse=wire.query.get("order") == "desc")
    begin, limit = int(wire.query.get("nextToken", 0)), int(wire.query.get("limit", 100))
    more = {"x-next-token": str(begin + limit)} if len(found) > begin + limit else {}
    wire.answer(200, [_info(s) for s in found[begin : begin + limit]], headers=more)


def _one(wire: Wire, server: E2BServer, id_: str, action: str) -> None:
    asked = wire.json_body()
    sandbox = server.sandboxes.find(id_)
    if sandbox is None:
        wire.fail(404, f"sandbox '{id_}' not found")
        return
    match (wire.command, action):
        case ("DELETE", ""):
            server.sandboxes.kill(sandbox)
            wire.answer(204)
        case ("GET", ""):
            wire.answer(200, _info(sandbox))
        case ("POST", "connect"):
            sandbox.lengthen(asked.get("timeout", 300))
            wire.answer(200, _opened(sandbox))
        case ("POST", "timeout"):
            sandbox.lease(asked["timeout"])
            wire.answer(204)
        case ("GET", "metrics"):
            wire.answer(200, [])
        case _:
            wire.fail(404, f"no such route: {wire.command} {wire.route}")
