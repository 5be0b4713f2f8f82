"""Values that are equal but can be told apart: which of them a group, a DISTINCT or a UNION keeps hangs on
the order of rows. Texts under COLLATE, intervals (1 month, 30 days), and the two zeros of DOUBLE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.determinism.catalogue import ORDERED, POSITION_WINDOWS, VALUE_WINDOWS
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.intervals import equal_intervals, takes_intervals
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.chase import chase
from osiris_sql.compile.lineage.facts import NOTHING, UNKNOWN, Atom, Col, Kind, Scope, kind_of_type
from osiris_sql.compile.lineage.grouping import groups_by_sets, has_aggregate
from osiris_sql.compile.lineage.numbers import kind_of
from osiris_sql.compile.lineage.resolve import resolve

_FLOAT = re.compile(r"\b(FLOAT|DOUBLE)\b")
_TYPES: dict[Kind | None, str] = {"float": "DOUBLE", "interval": "INTERVAL"}
# These count or add intervals, or take rows in an order that tells intervals apart, or are put in one.
_CALM = frozenset({"count", "sum", "avg", "mean"}) | ORDERED | VALUE_WINDOWS | POSITION_WINDOWS
_CLEAR = (exp.Predicate, exp.Connector, exp.Not, exp.Order, exp.Ordered)


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each place where such values become one."""
    for node in subject.find_all(exp.Collate):
        if _is_value(node):
            message = (
                "COLLATE makes texts equal that can be told apart, here and wherever this column goes:"
                " which one is kept hangs on the order of rows; use lower() or another function instead"
            )
            yield subject.ruling("collated-value", "unsafe", message, _span(node))
    for query, columns in _merges(subject):
        for index, (expression, column) in enumerate(columns):
            kind = _type(subject, query, index, expression, column)
            if kind_of_type(kind) == "interval" and column.kind != "other":
                yield equal_intervals(subject, _name(column), _span(expression))
            elif _FLOAT.search(kind) and not _has_one_zero(expression):
                message = (
                    f"{_name(column)} is a {kind}, and -0.0 equals 0.0: which one is kept hangs on the order"
                    f" of rows; write {_name(column)} + 0.0, or use DECIMAL"
                )
                yield subject.ruling("two-zeros", "unknown", message, _span(expression))
    for call in subject.outline.calls if subject.may_hold_intervals else ():
        if call.name not in _CALM and _is_of_intervals(subject, call):
            yield equal_intervals(subject, f"the argument of {call.name}", subject.span_of(call))


def _is_of_intervals(subject: Subject, call: Call) -> bool:
    """Say whether a call is an aggregate of intervals."""
    node = subject.node_of(call)
    return node is not None and has_aggregate(node) and takes_intervals(subject, call, node)


def _is_value(node: exp.Expr) -> bool:
    """Say whether a collated text goes on as a value: not into a comparison or an order."""
    parent = node.parent
    while parent is not None and not isinstance(parent, exp.Query):
        if isinstance(parent, _CLEAR):
            return False
        parent = parent.parent
    return True


Columns = list[tuple[exp.Expr | None, Col]]


def _merges(subject: Subject) -> Iterator[tuple[exp.Expr | None, Columns]]:
    """Yield the queries that make equal values one, with the columns in which they do (others unknown)."""
    for scope in (*subject.walk.scopes.values(), *subject.walk.pivoted.values()):
        group, distinct = scope.select.args.get("group"), scope.select.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            on = distinct.args["on"].expressions
            yield None, [(n, Col(n.name, NOTHING, kind_of(n, scope, subject.walk))) for n in on]
        elif distinct is not None or group is not None or isinstance(scope.select, exp.Pivot):
            known = _known_exactly(subject, scope)
            yield (
                scope.select,
                [
                    (n, UNKNOWN if c.origin in known or (distinct is None and _aggregates(n)) else c)
                    for n, c in scope.outputs
                ],
            )
    for node in subject.find_all(exp.SetOperation):
        if node.args.get("distinct") and id(node) in subject.walk.unlimited:
            yield node, [(None, column) for column in subject.walk.unlimited[id(node)].columns]


def _aggregates(node: exp.Expr | None) -> bool:
    return node is not None and has_aggregate(node)


def _known_exactly(subject: Subject, scope: Scope) -> frozenset[Atom]:
    """Return the columns that are the same in all rows which a SELECT makes one, for others tell them."""
    group = scope.select.args.get("group")
    if group is not None and groups_by_sets(group):
        return frozenset()
    named = [
        node for node in (group.expressions if group is not None else ()) if isinstance(node, exp.Column)
    ]
    columns = [*(c for _, c in scope.outputs), *(resolve(node, scope, subject.walk) for node in named)]
    return chase(scope, {c.origin for c in columns if c.origin is not None and _is_exact(c)}).atoms


def _is_exact(column: Col) -> bool:
    """Say whether equal values of a column are the same."""
    return column.kind in ("int", "decimal") or (
        column.kind == "other" and not _FLOAT.search(column.type or "")
    )


def _type(subject: Subject, query: exp.Expr | None, index: int, node: exp.Expr | None, column: Col) -> str:
    """Return the type of a column: DuckDB's own where the query is the whole, else what is known of it."""
    if column.name is None and column.inputs is None:
        return ""
    scope = subject.walk.scopes.get(id(query))
    whole = query is subject.tree and (scope is None or None not in scope.widths)
    if whole and index < len(subject.output.columns):
        return subject.output.columns[index].type
    if column.type is None and column.kind is None and scope is not None:
        return _type_of_expression(subject, node, scope) if node is not None else ""
    return column.type or _TYPES.get(column.kind, "")


def _type_of_expression(subject: Subject, node: exp.Expr, scope: Scope) -> str:
    """Return DOUBLE for a number that is one, and the types of what a list or struct is written with."""
    if kind_of(node, scope, subject.walk) == "float":
        return "DOUBLE"
    if node.find(exp.Array, exp.Struct, exp.Map, exp.Tuple) is None:
        return ""
    return ", ".join(resolve(c, scope, subject.walk).type or "" for c in node.find_all(exp.Column))


def _has_one_zero(node: exp.Expr | None) -> bool:
    """Say whether an expression never gives -0.0: by `+ 0.0`, or without a sign."""
    node = node.unnest() if node is not None else None
    if isinstance(node, exp.Add):
        sides = (node.left.unnest(), node.right.unnest())
        return any(isinstance(s, exp.Literal) and not s.is_string and float(s.name) == 0 for s in sides)
    return isinstance(node, exp.Abs)


def _name(column: Col) -> str:
    return column.name or "a value"


def _span(node: exp.Expr | None) -> tuple[int, int] | None:
    """Return the characters of the names in an expression."""
    places = [n.meta for n in node.walk() if "start" in n.meta] if node is not None else []
    return (min(p["start"] for p in places), max(p["end"] for p in places) + 1) if places else None
