"""The manifest of last time, for a project of which nothing has changed since."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from osiris_sql.compile.cache_files import digest_of, read_whole, tool_identity, write_whole
from osiris_sql.support import wire
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project


def read_manifest(folder: Path, project: Project, environ: Mapping[str, str]) -> Manifest | None:
    """Return the project compiled, if it was in this environment; None if anything differs."""
    body = read_whole(_file(folder, project))
    if body is None:
        return None
    head, _, manifest = body.partition(b"\n")
    known = json.loads(head)
    if (known["tool"], known["project"]) != (tool_identity(), _identity(project)):
        return None
    salt = bytes.fromhex(known["salt"])
    if any(_keyed(environ.get(name), salt) != value for name, value in known["environ"].items()):
        return None
    return wire.from_json(Manifest, manifest)


def write_manifest(
    folder: Path, project: Project, manifest: Manifest, seen: Mapping[str, str | None]
) -> None:
    """Keep a manifest for the next command; `seen` are the environment variables that it depends on.

    Of those only keyed hashes are written. A manifest in which the value of one stands is not kept.
    """
    text = wire.to_json(manifest)
    if any(value and json.dumps(value)[1:-1] in text for value in seen.values()):
        return
    salt = secrets.token_bytes(16)
    head = {
        "tool": tool_identity(),
        "project": _identity(project),
        "salt": salt.hex(),
        "environ": {name: _keyed(value, salt) for name, value in seen.items()},
    }
    write_whole(_file(folder, project), f"{json.dumps(head)}\n{text}".encode())


def _file(folder: Path, project: Project) -> Path:
    return folder / f"manifest-{digest_of(project.env.encode())[:16]}.json"


def _identity(project: Project) -> str:
    # JSON would make one of a date and its text; variables may hold either.
    plain = wire.to_json(replace(project, vars={}))
    return digest_of(f"{plain}\n{sorted(project.vars.items())!r}".encode())


def _keyed(value: str | None, salt: bytes) -> str | None:
    return None if value is None else digest_of(os.fsencode(value), key=salt)
