"""Keys: which columns tell the rows of a query apart, from GROUP BY, DISTINCT, joins and windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.chase import chase, is_total
from osiris_sql.compile.lineage.equations import conjuncts
from osiris_sql.compile.lineage.facts import Atom, Col, Relation, Scope
from osiris_sql.compile.lineage.grouping import groups_by_sets, has_aggregate, is_grouped
from osiris_sql.compile.lineage.resolve import resolve

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk

Key = frozenset[str]
_MOST = 6
_SPREADING = ("generate_subscripts", "regexp_split_to_table", "json_each", "json_tree")


def select_keys(scope: Scope, walk: Walk) -> tuple[Key, ...]:
    """Return the keys of what a SELECT gives, as names of its output columns in lower case."""
    select = scope.select
    keys: list[Key] = []
    if not spreads_rows(select):
        keys += _grouped_keys(scope, walk) if is_grouped(select) else _row_keys(scope, walk)
    keys += _distinct_keys(scope, walk)
    names = Counter((column.name or "").lower() for _, column in scope.outputs)
    # Of two columns of one name a reader gets the first, whichever of them tells the rows apart.
    return _least([key for key in keys if all(names[name] == 1 for name in key)])


def limited(query: exp.Expr, relation: Relation) -> Relation:
    """Return what a query gives after its LIMIT: LIMIT 1 leaves one row."""
    if not _limits_to_one(query):
        return relation
    return replace(relation, keys=(frozenset(),))


def spreads_rows(select: exp.Expr) -> bool:
    """Say whether a SELECT list makes several rows of one, as UNNEST does."""
    spreading = (
        n for item in select.expressions for n in item.find_all(exp.Explode, exp.Unnest, exp.Anonymous)
    )
    return any(n.find_ancestor(exp.Select) is select and _is_spreading(n) for n in spreading)


def _is_spreading(call: exp.Expr) -> bool:
    if isinstance(call, exp.Anonymous):
        return call.name.lower() in _SPREADING
    return not isinstance(call.this, exp.Struct)  # whose fields are columns


# ---------------------------------------------------------------------------------- rows and groups


def _row_keys(scope: Scope, walk: Walk) -> list[Key]:
    chosen = [*_first_of_partition(scope, walk), *source_keys(scope)]
    return [key for atoms in chosen if (key := _names_of(atoms, scope)) is not None]


def source_keys(scope: Scope) -> list[frozenset[Atom]]:
    """Return sets of columns that tell the joined rows of a SELECT apart, before it projects them."""
    found: list[frozenset[Atom]] = []
    if not scope.visible:
        return [frozenset()]
    for first in scope.visible:
        for key in first.relation.keys[:2]:
            atoms = _complete({(first, name) for name in key}, scope)
            if atoms is not None:
                found.append(atoms)
    return found[:_MOST]


def _complete(atoms: set[Atom], scope: Scope) -> frozenset[Atom] | None:
    """Return `atoms` with keys of the sources that they leave open, and without what is not needed."""
    known = chase(scope, atoms)
    for source in scope.visible:
        if source not in known.sources:
            if not source.relation.keys:
                return None
            atoms = atoms | {(source, name) for name in source.relation.keys[0]}
            known = chase(scope, atoms)
    if not is_total(scope, known):
        return None
    for atom in sorted(atoms, key=lambda a: a[1]):
        if is_total(scope, chase(scope, atoms - {atom})):
            atoms = atoms - {atom}
    return frozenset(atoms)


def _names_of(atoms: Iterable[Atom], scope: Scope) -> Key | None:
    """Return the output columns that hold these columns, or None if one is not among them."""
    same: dict[Atom, list[Atom]] = {}
    for equality in scope.equalities:
        if not equality.when and len(equality.known) == 1:
            same.setdefault(equality.gives, []).extend(equality.known)
    held = {c.origin: c.name for _, c in scope.outputs if c.origin is not None and c.name is not None}
    names: set[str] = set()
    for atom in atoms:
        name = next((held[a] for a in (atom, *same.get(atom, ())) if a in held), None)
        if name is None:
            return None
        names.add(name.lower())
    return frozenset(names)


def _grouped_keys(scope: Scope, walk: Walk) -> list[Key]:
    group = scope.select.args.get("group")
    if group is None:
        return [frozenset()]
    if groups_by_sets(group):
        return []
    columns = group_outputs(scope, walk)
    if columns is None:
        return []
    names = [column.name.lower() for column in columns if column.name is not None]
    return [frozenset(names)] if len(names) == len(columns) else []


def group_outputs(scope: Scope, walk: Walk) -> list[Col] | None:
    """Return the output columns that hold the expressions of GROUP BY, or None if one is not there."""
    group = scope.select.args["group"]
    if group.args.get("all"):
        if any(node is not None and node.find(exp.Window) for node, _ in scope.outputs):
            return None  # It is no group, and where all are windows, there is none.
        return [c for node, c in scope.outputs if node is None or not has_aggregate(node)]
    found: list[Col] = []
    for node in group.expressions:
        column = _output_for(node, scope, walk)
        if column is None:
            return None
        found.append(column)
    return found


def _output_for(node: exp.Expr, scope: Scope, walk: Walk) -> Col | None:
    if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit():
        index = int(node.this) - 1
        return scope.outputs[index][1] if None not in scope.widths and index < len(scope.outputs) else None
    origin = resolve(node, scope, walk).origin if isinstance(node, exp.Column) else None
    for expression, column in scope.outputs:
        if origin is not None and column.origin == origin:
            return column
        if expression is not None and origin is None and expression == node:
            return column
    if isinstance(node, exp.Column) and len(node.parts) == 1 and origin is None:
        return next((c for _, c in scope.outputs if (c.name or "").lower() == node.name.lower()), None)
    return None


# ------------------------------------------------------------------- distinct, qualify, limit, sets


def _distinct_keys(scope: Scope, walk: Walk) -> list[Key]:
    distinct = scope.select.args.get("distinct")
    if distinct is None:
        return []
    on = distinct.args.get("on")
    if on is None:
        return _all_names([c for _, c in scope.outputs], complete=None not in scope.widths)
    columns = [_distinct_output(node, scope, walk) for node in on.expressions]
    names = [c.name.lower() for c in columns if c is not None and c.name is not None]
    return [frozenset(names)] if len(names) == len(on.expressions) else []


def _distinct_output(node: exp.Expr, scope: Scope, walk: Walk) -> Col | None:
    """Return the output column that DISTINCT ON means: unlike GROUP BY, it looks for an alias first."""
    if isinstance(node, exp.Column) and len(node.parts) == 1:
        named = [c for _, c in scope.outputs if (c.name or "").lower() == node.name.lower()]
        if named or None in scope.widths:
            return named[0] if len(named) == 1 and None not in scope.widths else None
    return _output_for(node, scope, walk)


def _all_names(columns: Sequence[Col], *, complete: bool) -> list[Key]:
    names = {c.name.lower() for c in columns if c.name is not None}
    return [frozenset(names)] if complete and len(names) == len(columns) else []


def _first_of_partition(scope: Scope, walk: Walk) -> list[frozenset[Atom]]:
    """Return the partition of `QUALIFY row_number() OVER (PARTITION BY …) = 1`: one row each."""
    qualify = scope.select.args.get("qualify")
    found = []
    for node in conjuncts(qualify.this) if qualify is not None else []:
        window = _first_row_test(node, scope)
        if window is None:
            continue
        parts = [
            resolve(p, scope, walk) if isinstance(p, exp.Column) else None for p in _partition(window, scope)
        ]
        atoms = frozenset(p.origin for p in parts if p is not None and p.origin is not None)
        if len(atoms) == len(parts):
            found.append(atoms)
    return found


def _first_row_test(node: exp.Expr, scope: Scope) -> exp.Expr | None:
    if not (
        isinstance(node, exp.EQ | exp.LTE) and isinstance(node.right, exp.Literal) and node.right.name == "1"
    ):
        return None
    left = node.left.unnest()
    if isinstance(left, exp.Column) and not any(left.name.lower() in s.names for s in scope.visible):
        left = scope.alias_nodes.get(left.name.lower(), left)
    return left if isinstance(left, exp.Window) and isinstance(left.this, exp.RowNumber) else None


def _partition(window: exp.Expr, scope: Scope) -> list[exp.Expr]:
    alias = window.args.get("alias")
    if alias is not None:
        named = scope.select.args.get("windows") or []
        base = next((w for w in named if w.this.name.lower() == alias.name.lower()), None)
        return _partition(base, scope) if base is not None else []
    return list(window.args.get("partition_by") or [])


def _limits_to_one(select: exp.Expr) -> bool:
    limit = select.args.get("limit")
    if not isinstance(limit, exp.Limit) or limit.args.get("limit_options"):
        return False
    return isinstance(limit.expression, exp.Literal) and limit.expression.name in ("0", "1")


def set_operation_keys(node: exp.SetOperation, left: Relation, united: Relation) -> tuple[Key, ...]:
    """Return the keys of a UNION, INTERSECT or EXCEPT."""
    # A column of two types is cast, and values that differed may be one.
    kept = {(c.name or "").lower() for c in united.columns if c.type is not None}
    filters = isinstance(node, exp.Except | exp.Intersect)
    keys = [key for key in left.keys if filters and key <= kept]
    if node.args.get("distinct"):
        keys += _all_names(united.columns, complete=united.rest is None)
    return _least(keys)


def _least(keys: list[Key]) -> tuple[Key, ...]:
    """Return the keys without those that hold another one, smallest first."""
    ordered = sorted(set(keys), key=lambda key: (len(key), sorted(key)))
    return tuple(k for i, k in enumerate(ordered) if not any(o <= k for o in ordered[:i]))[:_MOST]
