"""The manifest of last time, for a project of which nothing has changed since."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from osiris_sql.compile.cache_files import SeenEnviron, digest_of, read_whole, tool_identity, write_whole
from osiris_sql.support import wire
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project


class ManifestCache:
    """The manifest of one environment."""

    def __init__(self, folder: Path, project: Project) -> None:
        self._path = folder / f"manifest-{digest_of(project.env.encode())[:16]}.json"
        # JSON would make one of a date and its text; variables may hold either.
        plain = wire.to_bytes(replace(project, vars={}))
        self._identity = digest_of(plain + repr(sorted(project.vars.items())).encode())

    def read(self, environ: Mapping[str, str]) -> Manifest | None:
        """Return the project compiled, if it was in this environment; None if anything differs."""
        body = read_whole(self._path)
        if body is None:
            return None
        head, _, manifest = body.partition(b"\n")
        known = json.loads(head)
        if (known["tool"], known["project"]) != (tool_identity(), self._identity):
            return None
        salt = bytes.fromhex(known["salt"])
        if any(_keyed(environ.get(name), salt) != value for name, value in known["environ"].items()):
            return None
        return wire.from_json(Manifest, manifest)

    def write(self, manifest: Manifest, environ: SeenEnviron) -> None:
        """Keep a manifest for the next command; `environ` has seen which variables it depends on.

        Of those only keyed hashes are written. A manifest in which the value of one stands is not kept.
        """
        if any(environ.seen.values()) and environ.shows_in(wire.to_json(manifest)):
            return
        salt = secrets.token_bytes(16)
        seen = {name: _keyed(value, salt) for name, value in environ.seen.items()}
        head = {"tool": tool_identity(), "project": self._identity, "salt": salt.hex(), "environ": seen}
        write_whole(self._path, json.dumps(head).encode() + b"\n" + wire.to_bytes(manifest))


def _keyed(value: str | None, salt: bytes) -> str | None:
    return None if value is None else digest_of(os.fsencode(value), key=salt)
