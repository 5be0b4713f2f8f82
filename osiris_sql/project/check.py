"""Compares data with a shape: each mismatch becomes a diagnostic at its place in the file, and is cut
out so that the rest of the file can still be used."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from osiris_sql.project.mismatch import Mismatch
from osiris_sql.project.shape import Locate, Report, Shape, place
from osiris_sql.support.yamlfile import KeyPath

S = TypeVar("S", bound=Shape)


@dataclass(frozen=True)
class Checked(Generic[S]):
    """What is left of the data, and the paths of what was cut out."""

    value: S | None
    broken: frozenset[KeyPath]

    def is_broken(self, path: KeyPath) -> bool:
        """Say whether something at or under `path` was cut out."""
        return any(cut[: len(path)] == path for cut in self.broken)


def check_shape(
    shape: type[S], data: object, locate: Locate, report: Report, path: KeyPath = ()
) -> Checked[S]:
    """Return the part of `data` that fits `shape` and report every mismatch; `path` is where it stands."""
    placed = place(data, path)
    broken: set[KeyPath] = set()
    while True:
        try:
            return Checked(shape.model_validate(placed), frozenset(broken))
        except ValidationError as error:
            errors = error.errors(include_url=False)
        cuts = [Mismatch(shape, placed, path, dict(found)) for found in errors]
        misspelt = {cut.meant for cut in cuts}
        for cut in cuts:
            if cut.path not in broken and not (cut.missing and cut.path in misspelt):
                report(cut.diagnostic(locate))
        broken |= {cut.path for cut in cuts}
        if not _cut_out([cut.victim for cut in cuts]):
            return Checked(None, frozenset(broken))


def _cut_out(victims: list[tuple[Any, str | int] | None]) -> bool:
    """Remove what is broken from its containers; False if the whole is broken."""
    doomed: dict[int, tuple[Any, set[str | int]]] = {}
    for victim in victims:
        if victim is None:
            return False
        container, step = victim
        doomed.setdefault(id(container), (container, set()))[1].add(step)
    for container, steps in doomed.values():
        if isinstance(container, list):
            container[:] = [item for index, item in enumerate(container) if index not in steps]
        else:
            for step in steps:
                container.pop(step, None)
    return True
