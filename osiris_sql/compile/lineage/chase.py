"""The chase: what else is known of a joined row once some of its columns are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from osiris_sql.compile.lineage.facts import Atom, Scope, Source


@dataclass(frozen=True, slots=True)
class Known:
    """What follows from some columns: further columns, and the sources whose row is settled."""

    atoms: frozenset[Atom]
    sources: frozenset[Source]


def chase(scope: Scope, atoms: Iterable[Atom]) -> Known:
    """Return everything that is the same in all rows which agree on `atoms`.

    Two rules, until nothing new comes: an equation gives a column; a key of a source, with the
    sources that it hangs on settled, settles its row and so all its columns.
    """
    known = set(atoms)
    settled: set[Source] = set()
    while True:
        before = (len(known), len(settled))
        for equality in scope.equalities:
            if equality.known <= known and settled.issuperset(equality.when):
                known.add(equality.gives)
        for source in scope.sources:
            if source not in settled and _settles(source, known, settled):
                settled.add(source)
                known.update((source, name) for name in source.names)
        if (len(known), len(settled)) == before:
            return Known(frozenset(known), frozenset(settled))


def _settles(source: Source, known: set[Atom], settled: set[Source]) -> bool:
    if source.mode == "full" or not settled.issuperset(source.after):
        return False
    if source.mode == "single":
        return True
    return any(all((source, name) in known for name in key) for key in source.relation.keys)


def is_total(scope: Scope, known: Known) -> bool:
    """Say whether every source's row is settled, so that no two rows are left to confuse."""
    return known.sources.issuperset(scope.visible)
