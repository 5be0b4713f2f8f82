"""The environment, as far as a project reads it, and texts in which no value of it may stand."""

import json
import os
import re
from collections.abc import Iterator, Mapping

from osiris_sql.support.kept_files import digest_of

# JSON holds no such character, so what stands between two of them is no part of it.
_HIDDEN = re.compile("\0([^\0]*)\0")


class SeenEnviron(Mapping[str, str]):
    """The environment, with a note of each variable that was asked for (None: it is not set)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.seen: dict[str, str | None] = {}

    def __getitem__(self, name: str) -> str:
        self.seen[name] = self._environ.get(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)

    def hide(self, text: bytes) -> bytes:
        """Return JSON with the variable's name wherever the value of one that was asked for stands in it."""
        names = {_quoted(value): name for name, value in self.seen.items() if value}
        if not names:
            return text
        values = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        return re.sub(values, lambda match: f"\0{names[match[0]]}\0", text.decode()).encode()


def reveal(text: bytes, environ: Mapping[str, str]) -> bytes:
    """Return JSON in which values were hidden; for variables that are what they were then."""
    if b"\0" not in text:
        return text
    return _HIDDEN.sub(lambda match: _quoted(environ[match[1]]), text.decode()).encode()


def hidden_names(text: bytes) -> set[str]:
    """Return the variables whose values are hidden in a text."""
    return set(_HIDDEN.findall(text.decode())) if b"\0" in text else set()


def _quoted(value: str) -> str:
    return json.dumps(value)[1:-1]


def keyed(value: str | None, salt: bytes) -> str | None:
    """Return what tells a value from others and does not tell it."""
    return None if value is None else digest_of(os.fsencode(value), key=salt)
