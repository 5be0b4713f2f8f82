"""A noun in a file of the cache, good as long as what it was made from and the environment are the same."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

from osiris_sql.compile.seen_environ import SeenEnviron, keyed, reveal
from osiris_sql.support.kept_files import digest_of, read_whole, write_whole
from osiris_sql.support.packed import pack, unpack
from osiris_sql.types.project import Project

T = TypeVar("T")

_latest: tuple[object, str] = None, ""


class KeptNoun(Generic[T]):
    """One noun of a project and an environment; `made_from` is what it was made from besides variables."""

    def __init__(
        self, kind: type[T], folder: Path, called: str, project: Project, *made_from: object
    ) -> None:
        self._kind = kind
        self._path = folder / f"{called}-{digest_of(project.env.encode())[:16]}.json"
        self._identity = " ".join(map(_identity_of, made_from))

    def read(self, environ: Mapping[str, str]) -> T | None:
        """Return the noun of last time, if it was made in this environment; None if anything differs."""
        body = read_whole(self._path)
        if body is None:
            return None
        head, _, packed = body.partition(b"\n")
        known = json.loads(head)
        if known["made_from"] != self._identity:
            return None
        salt = bytes.fromhex(known["salt"])
        if any(keyed(environ.get(name), salt) != value for name, value in known["environ"].items()):
            return None
        revealed = reveal(packed, environ)
        return _remember(unpack(self._kind, revealed), revealed)

    def write(self, noun: T, environ: SeenEnviron) -> None:
        """Keep a noun for the next command; `environ` has seen which variables it depends on.

        Of their values only keyed hashes are written.
        """
        try:
            packed = pack(noun)
        except TypeError:  # what a person may write and JSON can't hold, such as a date in a model's `meta`
            return
        _remember(noun, packed)
        body = environ.hide(packed)
        salt = os.urandom(16)
        seen = {name: keyed(value, salt) for name, value in environ.seen.items()}
        head = {"made_from": self._identity, "salt": salt.hex(), "environ": seen}
        write_whole(self._path, json.dumps(head).encode() + b"\n" + body)


def _remember(noun: T, packed: bytes) -> T:
    global _latest
    _latest = noun, digest_of(packed)
    return noun


def _identity_of(made_from: object) -> str:
    """Return what tells one from any other. A manifest that was read a moment ago is not spelled out."""
    noun, identity = _latest
    return identity if made_from is noun else digest_of(repr(made_from).encode(errors="surrogatepass"))
