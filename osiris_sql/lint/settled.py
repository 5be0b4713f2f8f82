"""Which joined rows are decided by one row: generously, so that what is not settled surely repeats it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from osiris_sql.compile.lineage.equations import conjuncts
from osiris_sql.compile.lineage.facts import Atom, Scope, Source
from osiris_sql.lint.linted_model import LintedModel

Rule = tuple[frozenset[Atom], Atom]
"""Columns that give another one."""


def repeating(model: LintedModel, scope: Scope, source: Source, known: Iterable[Atom]) -> Source | None:
    """Return a source of which several rows may stand beside one row of `source`; None if there is none.

    Of a row in which `source` has a partner every ON holds, LEFT or not. What anything but
    equations picks counts as one row, and what has no key is left out: then nothing is sure.
    """
    if any(other.mode == "full" for other in scope.sources):
        return None
    rules, picked = _read_conditions(model, scope)
    kept, columns = {source, *picked}, set(known)
    while True:
        columns |= {(other, name) for other in kept for name in other.names}
        kept, columns = _settle(scope, kept, columns, rules)
        loose = [other for other in scope.visible if other not in kept and other.relation.keys]
        perhaps = {other for other in loose if _may_be_settled(model, other, columns)}
        if not perhaps:
            return loose[0] if loose else None
        kept |= perhaps


def _may_be_settled(model: LintedModel, source: Source, known: set[Atom]) -> bool:
    """Say whether a part of a key is known and may be enough: grouping and DISTINCT make keys too wide."""
    partly = any((source, name) in known for key in source.relation.keys for name in key)
    return partly and source.relation.node not in model.around.narrow


def _settle(
    scope: Scope, settled: set[Source], known: set[Atom], rules: list[Rule]
) -> tuple[set[Source], set[Atom]]:
    while True:
        before = len(known), len(settled)
        known |= {gives for needs, gives in rules if needs <= known}
        for source in scope.sources:
            keys = source.relation.keys
            if source.mode == "single" or any(all((source, n) in known for n in key) for key in keys):
                settled.add(source)
                known |= {(source, name) for name in source.names}
        if (len(known), len(settled)) == before:
            return settled, known


def _read_conditions(model: LintedModel, scope: Scope) -> tuple[list[Rule], set[Source]]:
    """Return what the equations of a SELECT give, and the sources that other conditions are about."""
    rules: list[Rule] = []
    picked: set[Source] = set()
    for equality in scope.equalities:
        rules += [(equality.known, equality.gives), *_reversed(equality.known, equality.gives)]
    for condition in _conditions(scope):
        if not isinstance(condition, exp.EQ):
            picked |= {atom[0] for atom in _atoms(model, condition)}
            continue
        for side, other in ((condition.left, condition.right), (condition.right, condition.left)):
            gives = _atoms(model, side)
            if isinstance(side, exp.Column) and gives:
                rules.append((_atoms(model, other), next(iter(gives))))
            elif not isinstance(side, exp.Column):
                picked |= {atom[0] for atom in gives} if not _atoms(model, other) else set()
    return rules, picked


def _reversed(known: frozenset[Atom], gives: Atom) -> list[Rule]:
    return [(frozenset({gives}), atom) for atom in known] if len(known) == 1 else []


def _conditions(scope: Scope) -> list[exp.Expr]:
    clauses = [scope.select.args.get(key) for key in ("where", "having", "qualify")]
    found = [part for clause in clauses if clause is not None for part in conjuncts(clause.this)]
    joins = scope.select.args.get("joins") or []
    return [*found, *(part for join in joins if join.args.get("on") for part in conjuncts(join.args["on"]))]


def _atoms(model: LintedModel, node: exp.Expr) -> frozenset[Atom]:
    columns = [model.column(column) for column in node.find_all(exp.Column)]
    return frozenset(column.origin for column in columns if column is not None and column.origin is not None)
