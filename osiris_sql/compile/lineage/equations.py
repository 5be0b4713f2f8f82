"""Equations of WHERE and ON: which columns are known once others are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.facts import Atom, Col, Equality, Scope, Source
from osiris_sql.compile.lineage.resolve import resolve

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """Return the parts of a condition that must all hold."""
    node = node.unnest()
    if isinstance(node, exp.And):
        return [*conjuncts(node.left), *conjuncts(node.right)]
    return [node]


def add_equalities(
    condition: exp.Expr, scope: Scope, walk: Walk, *, when: tuple[Source, ...], gives: Sequence[Source]
) -> None:
    """Note the equations of a condition that give columns of the sources in `gives`."""
    for node in conjuncts(condition):
        if not isinstance(node, exp.EQ | exp.NullSafeEQ):
            continue
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if not isinstance(side, exp.Column):
                continue
            column = resolve(side, scope, walk)
            known = _known_by(other, column, scope, walk)
            if column.origin is not None and column.origin[0] in gives and known is not None:
                scope.equalities.append(Equality(known, column.origin, when))


def _known_by(other: exp.Expr, column: Col, scope: Scope, walk: Walk) -> frozenset[Atom] | None:
    """Return which columns give the one that equals `other`; None if equal is not the same value."""
    if column.kind == "interval":
        return None
    if isinstance(other, exp.Literal):
        exact = other.is_string or column.kind in ("int", "decimal")
        return frozenset() if exact else None
    if isinstance(other, exp.Cast) and isinstance(other.this, exp.Literal):
        return frozenset() if column.type not in (None, "VARCHAR") else None
    if isinstance(other, exp.Column):
        found = resolve(other, scope, walk)
        if found.origin is None or not same_values(column, found):
            return None
        return frozenset({found.origin} if found.origin[0] in scope.sources else ())
    return None


def same_values(a: Col, b: Col) -> bool:
    """Say whether columns that compare equal hold the same value: not so for '01' and 1."""
    exact = ("int", "decimal")
    return (a.kind in exact and b.kind in exact) or (a.type is not None and a.type == b.type)
