"""PIVOT and UNPIVOT, as statements and as items of FROM."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.facts import UNKNOWN, Col, Inputs, Relation, Scope, Source, union

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk


def pivot_relation(
    node: exp.Pivot, source: Relation, walk: Walk, *, read: exp.Expr | None = None
) -> Relation:
    """Return what a PIVOT or UNPIVOT of a relation gives; names that data makes are left open."""
    if source.node is not None:  # every column is a group, a value or a name, so all are read
        walk.reads[source.node].update(c.name for c in source.columns if c.name)
    if source.rest is not None:
        return Relation((), rest=UNKNOWN)
    columns = {(c.name or "").lower(): c for c in source.columns}
    if node.args.get("unpivot"):
        return _unpivot(node, columns)
    pivoted = _pivot(node, columns)
    read_from = Source(None, None, source)
    scope = walk.pivoted[id(node)] = Scope(node, None, {}, [read_from])
    scope.outputs = [(None, replace(c, origin=(read_from, (c.name or "").lower()))) for c in pivoted.columns]
    return pivoted


def _inputs(node: object, columns: dict[str, Col]) -> Inputs:
    """Return what an expression over the pivoted relation is made from."""
    nodes = node if isinstance(node, list) else [node]
    names = [c.name.lower() for n in nodes if isinstance(n, exp.Expr) for c in n.find_all(exp.Column)]
    return union([columns[name].inputs if name in columns else None for name in names])


def _pivot(node: exp.Pivot, columns: dict[str, Col]) -> Relation:
    using = node.args.get("using") or []
    on = node.args.get("fields") or node.expressions
    aggregates = using if using else [] if not node.args.get("fields") else node.expressions
    values = union([_inputs(aggregates, columns), _inputs(on, columns)])
    group = node.args.get("group")
    if group is not None:
        names = [c.name.lower() for c in group.find_all(exp.Column)]
    else:
        taken = {c.name.lower() for n in (*aggregates, *on) for c in n.find_all(exp.Column)}
        names = [name for name in columns if name not in taken]
    kept = tuple(columns[name] for name in names if name in columns)
    keys = (frozenset(names),) if _is_static(on) else ()
    return Relation(kept, rest=Col(None, values), keys=keys, sure=len(kept))


def _is_static(on: list[exp.Expr]) -> bool:
    return all(isinstance(n, exp.In) for n in on)


def _unpivot(node: exp.Pivot, columns: dict[str, Col]) -> Relation:
    into = node.args.get("into")
    if into is not None:
        taken, name, values = node.expressions, into.this.name, [v.name for v in into.expressions]
    elif node.args.get("fields"):
        field = node.args["fields"][0]
        taken, name, values = field.expressions, field.this.name, [v.name for v in node.expressions]
    else:
        taken, name, values = node.expressions, "name", ["value"]
    if any(c.find(exp.Star, exp.Columns) for c in taken):
        everything = union([c.inputs for c in columns.values()])
        return Relation((), rest=Col(None, everything))
    unpivoted = {c.name.lower() for n in taken for c in n.find_all(exp.Column)}
    inputs = union([columns[n].inputs if n in columns else None for n in unpivoted])
    kept = [column for key, column in columns.items() if key not in unpivoted]
    return Relation((*kept, Col(name, frozenset()), *(Col(value, inputs) for value in values)))
