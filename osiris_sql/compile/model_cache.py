"""Models compiled before, found by what each really depended on.

The key holds the model's file and what its template gave (so macros, variables and the environment count
as far as they show there); an entry is as good as new while what its inputs look like is the same. A template
that can read no more than names and variables of the project need not be rendered: with these its file alone
is a second key.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.compile.seen_environ import SeenEnviron, hidden_names, keyed, reveal
from osiris_sql.support.kept_files import digest_of, read_whole, write_whole
from osiris_sql.support.packed import unpack
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.noun import noun
from osiris_sql.types.project import Model, Project

if TYPE_CHECKING:
    from osiris_sql.compile.known import Known
    from osiris_sql.compile.node_names import NodeNames
    from osiris_sql.compile.rendered_model import RenderedModel

_NOTHING = b"{}"
_NO_KEY = "-"
_READS_MORE = ("{%", "{#", "env_var")


@noun
class Remembered:
    """A model as it was compiled, with a fingerprint of its own, without what is above.

    `needs` are the nodes that its text names, `tables` the names in its SQL and what they meant, `inputs`
    the identities of all that it read, `found` what was said of it, `identity` what others see of it.
    """

    needs: tuple[str, ...]
    tables: Mapping[str, str]
    inputs: Mapping[str, str]
    found: tuple[Diagnostic, ...]
    keys: tuple[tuple[str, ...], ...]
    identity: str
    model: CompiledModel


class ModelCache:
    """The entries of one environment; `save` keeps those that were used, and as many of the others."""

    def __init__(self, folder: Path, project: Project, environ: SeenEnviron) -> None:
        self._path = folder / f"models-{digest_of(project.env.encode())[:16]}.json"
        self._environ = environ
        self._most = 2 * len(project.models)
        self._macros = digest_of(repr(project.macros).encode())
        self._constant = repr((project.name, project.env, project.warehouse))
        names = sorted([*(m.node for m in project.models), *(t.node for t in project.tables)])
        self._readable = digest_of(repr((self._constant, self._macros, project.vars, names)).encode())
        self._salt, self._old = self._read()
        self._by_file = {line[: line.index(b" ")].decode(): key for key, line in self._old.items()}
        self._used: dict[str, bytes] = {}
        self._is_new = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was remembered."""
        return not self._old

    def _read(self) -> tuple[bytes, dict[str, bytes]]:
        head, *lines = (read_whole(self._path) or b"").split(b"\n")
        if not head:
            return secrets.token_bytes(16), {}
        pairs = (line.partition(b" ") for line in lines)
        return bytes.fromhex(head.decode()), {key.decode(): value for key, _, value in pairs}

    def _key(self, rendered: RenderedModel, keys: object) -> str:
        """Return the key of a model whose declared keys are `keys`; nobody can guess its SQL from it."""
        model, plain = rendered.model, rendered.is_plain
        written = (model, rendered.config, rendered.places, [text.sql for text in rendered.texts], keys)
        # What Jinja rendered may have places in any file of macros.
        around = (self._constant, "" if plain else self._macros)
        return digest_of(repr((written, around)).encode(), key=self._salt)

    def find_by_file(self, model: Model, keys: object) -> Remembered | None:
        """Return the entry of a model whose file is enough to tell that it is the same."""
        key = self._by_file.get(self._file_key(model, keys)) if self._by_file else None
        return self._open(key) if key else None

    def _file_key(self, model: Model, keys: object) -> str:
        if any(word in model.text for word in _READS_MORE):
            return ""
        return digest_of(repr((model, keys, self._readable)).encode(), key=self._salt)

    def find(self, rendered: RenderedModel, keys: object, names: NodeNames) -> Remembered | None:
        """Return the entry of a rendered model, if the names in its SQL still mean the same nodes."""
        key = self._key(rendered, keys) if self._old else ""
        entry = self._open(key) if key in self._old else None
        if not entry or any(names.nodes.get(_pair(table)) != node for table, node in entry.tables.items()):
            return None
        self._note_file(key, rendered, keys)
        return entry

    def _note_file(self, key: str, rendered: RenderedModel, keys: object) -> None:
        """Note what the file alone is found by from now on: the names around it may be others than then."""
        then, _, rest = self._used[key].partition(b" ")
        now = self._told_by(rendered, keys)
        if now != then:
            self._used[key] = b"%s %s" % (now, rest)
            self._is_new = True

    def _told_by(self, rendered: RenderedModel, keys: object) -> bytes:
        is_told = rendered.is_plain and not rendered.diagnostics
        return ((is_told and self._file_key(rendered.model, keys)) or _NO_KEY).encode()

    def _open(self, key: str) -> Remembered | None:
        line = self._old[key]
        head, _, hidden = line[line.index(b" ") + 1 :].partition(b"\t")
        seen = json.loads(head) if head != _NOTHING else {}
        if any(keyed(self._environ.get(name), self._salt) != then for name, then in seen.items()):
            return None
        self._used[key] = line
        return unpack(Remembered, reveal(hidden, self._environ))

    def keep(self, rendered: RenderedModel, keys: object, entry: bytes) -> None:
        """Remember a model (`Remembered`, packed); values of variables are hidden in it."""
        key = self._key(rendered, keys)
        line = self._environ.hide(entry)
        then = {name: keyed(self._environ.seen[name], self._salt) for name in hidden_names(line)}
        self._used[key] = b"%s %s\t%s" % (self._told_by(rendered, keys), json.dumps(then).encode(), line)
        self._is_new = True

    def save(self) -> None:
        """Write what is remembered, if there is anything new."""
        if not self._is_new:
            return
        others = [(key, line) for key, line in self._old.items() if key not in self._used]
        kept = [*self._used.items(), *others[: max(0, self._most - len(self._used))]]
        lines = (b"%s %s" % (key.encode(), line) for key, line in kept)
        write_whole(self._path, b"\n".join([self._salt.hex().encode(), *lines]))


def _pair(table: str) -> tuple[str, str]:
    schema, name = json.loads(table)
    return schema, name


class Identities:
    """What those below can see of each node, as a digest."""

    def __init__(self, known: Mapping[str, Known], texts: Mapping[str, str], macros: str) -> None:
        self._known = known
        self._texts = texts
        self._macros = macros
        self._found: dict[str, str] = {}

    def learn(self, node: str, identity: str) -> None:
        """Take the identity of a node as known: it was remembered with all that it is made of."""
        self._found[node] = identity

    def of(self, node: str) -> str:
        """Return the identity of a node that is known."""
        if node not in self._found:
            self._found[node] = digest_of(repr([*self._seen(self._known[node])]).encode())
        return self._found[node]

    def _seen(self, known: Known) -> Iterator[object]:
        yield known.node, known.relation, known.schema.key, [sorted(key) for key in known.keys]
        yield [(column.name, column.type, column.nullable) for column in known.schema.columns]
        yield known.event_time
        if known.inlined:
            # Its text stands in those that read it, with places in its file and in those of macros.
            yield known.inlined.sql, sorted(known.inlined.declared.items())
            yield self._texts[known.node], self._macros
            yield [self.of(node) for node in known.inlined.needs]
