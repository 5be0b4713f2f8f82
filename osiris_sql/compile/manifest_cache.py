"""The manifest of last time, for a project of which nothing has changed since."""

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from osiris_sql.compile.seen_environ import SeenEnviron, keyed, reveal
from osiris_sql.support.kept_files import digest_of, read_whole, tool_identity, write_whole
from osiris_sql.support.packed import pack, unpack
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project


class ManifestCache:
    """The manifest of one environment."""

    def __init__(self, folder: Path, project: Project) -> None:
        self._path = folder / f"manifest-{digest_of(project.env.encode())[:16]}.json"
        self._identity = digest_of(repr(project).encode(errors="surrogatepass"))

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
        if any(keyed(environ.get(name), salt) != value for name, value in known["environ"].items()):
            return None
        return unpack(Manifest, reveal(manifest, environ))

    def write(self, manifest: Manifest, environ: SeenEnviron) -> None:
        """Keep a manifest for the next command; `environ` has seen which variables it depends on.

        Of their values only keyed hashes are written.
        """
        # What a person may write and JSON can't hold, such as a date in a model's `meta`, is not kept.
        with suppress(TypeError):
            body = environ.hide(pack(manifest))
            salt = secrets.token_bytes(16)
            seen = {name: keyed(value, salt) for name, value in environ.seen.items()}
            head = {"tool": tool_identity(), "project": self._identity, "salt": salt.hex(), "environ": seen}
            write_whole(self._path, json.dumps(head).encode() + b"\n" + body)
