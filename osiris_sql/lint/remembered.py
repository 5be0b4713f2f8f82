"""What lint found in models before, and what it learned of each for those below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from osiris_sql.compile.kept_noun import KeptNoun
from osiris_sql.compile.seen_environ import SeenEnviron
from osiris_sql.support.kept_files import digest_of
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import noun
from osiris_sql.types.project import Project


@noun
class Learned:
    """What those below a model must know of it: its keys, the columns that may hold NULL, whether its
    keys are surely no wider than they must be."""

    keys: tuple[tuple[str, ...], ...] = ()
    nulls: tuple[str, ...] = ()
    narrow: bool = False


@noun
class Findings:
    """What lint found in a whole project."""

    findings: tuple[Diagnostic, ...]


@noun
class Linted:
    """One model linted."""

    findings: tuple[Diagnostic, ...]
    learned: Learned


@noun
class LintedModels:
    """Models linted, by the identity of all that their findings depend on."""

    models: Mapping[str, Linted] = field(default_factory=dict)


class LintMemory:
    """The models that were linted before; without a folder it remembers nothing."""

    def __init__(self, folder: Path | None, project: Project, environ: Mapping[str, str]) -> None:
        self.environ = environ if isinstance(environ, SeenEnviron) else SeenEnviron(environ)
        self._most = 2 * len(project.models)
        # All that templates can see besides the models.
        around = (project.name, project.env, project.warehouse, project.vars, project.macros)
        made_from = (around, project.connections, project.sources, project.seeds, project.lint)
        self._kept = KeptNoun(LintedModels, folder, "lint", project, made_from) if folder else None
        before = self._kept.read(self.environ) if self._kept else None
        self._old = before.models if before else {}
        self._used: dict[str, Linted] = {}

    def key_of(self, seen: object) -> str:
        """Return the identity of all that the findings of a model depend on."""
        return identity_of(seen) if self._kept else ""

    def find(self, key: str) -> Linted | None:
        """Return what was found where all was as it is now."""
        if key in self._old:
            self._used[key] = self._old[key]
        return self._used.get(key)

    def keep(self, key: str, linted: Linted) -> None:
        """Remember a model that was linted just now."""
        if self._kept:
            self._used[key] = linted

    def save(self) -> None:
        """Write what is remembered, if there is anything new; as many others stay."""
        if self._kept and self._used.keys() - self._old.keys():
            others = [(key, linted) for key, linted in self._old.items() if key not in self._used]
            kept = {**self._used, **dict(others[: max(0, self._most - len(self._used))])}
            self._kept.write(LintedModels(models=kept), self.environ)


def identity_of(seen: object) -> str:
    """Return the identity of plain data, the same in every process."""
    return digest_of(repr(seen).encode(errors="surrogatepass"))
