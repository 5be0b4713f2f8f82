"""Values that are equal but can be told apart: which of them a group, a DISTINCT or a UNION keeps hangs on
the order of rows. Texts under COLLATE, intervals (1 month, 30 days), and the two zeros of DOUBLE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.facts import Col, Scope
from osiris_sql.compile.lineage.keys import group_outputs
from osiris_sql.compile.lineage.numbers import kind_of
from osiris_sql.compile.lineage.resolve import resolve

_INTERVAL = re.compile(r"\bINTERVAL\b")
_FLOAT = re.compile(r"\b(FLOAT|DOUBLE)\b")
# What stands around a value: the first of these says what becomes of it.
_HOLDERS = (exp.AggFunc, exp.Anonymous, exp.Cast, exp.Binary, exp.Window, exp.Ordered, exp.Query)
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
            kind = _type(subject, query, index, column)
            if _INTERVAL.search(kind):
                yield _interval(subject, _name(column), expression)
            elif _FLOAT.search(kind) and not _has_one_zero(expression):
                message = (
                    f"{_name(column)} is a {kind}, and -0.0 equals 0.0: which one is kept hangs on the order"
                    f" of rows; write {_name(column)} + 0.0, or use DECIMAL"
                )
                yield subject.ruling("two-zeros", "unknown", message, _span(expression))
    for value in subject.find_all(exp.Column) if _may_hold_intervals(subject) else ():
        if _is_chosen(subject, value):
            yield _interval(subject, value.name, value)


def _may_hold_intervals(subject: Subject) -> bool:
    """Say whether a query can have a column of intervals; most have none, and their columns cost nothing."""
    types = (c.type or "" for relation in subject.walk.inputs.values() for c in relation.columns)
    return "INTERVAL" in subject.sql.upper() or any("INTERVAL" in type_name for type_name in types)


def _interval(subject: Subject, name: str, node: exp.Expr | None) -> Ruling:
    message = (
        f"{name} is an INTERVAL, and 1 month equals 30 days: which one is kept hangs"
        " on the order of rows; take its text, ::VARCHAR"
    )
    return subject.ruling("equal-intervals", "unknown", message, _span(node))


def _is_chosen(subject: Subject, node: exp.Column) -> bool:
    """Say whether a column holds intervals of which an aggregate gives one or more, or by which rows are put
    in an order that decides."""
    scope = subject.scope_of(node)
    if scope is None or not _INTERVAL.search(resolve(node, scope, subject.walk).type or ""):
        return False
    around = node.find_ancestor(*_HOLDERS)
    if isinstance(around, exp.Ordered):
        query = around.find_ancestor(exp.AggFunc, exp.Window, exp.Query)
        return isinstance(query, exp.Window) or (
            isinstance(query, exp.Query) and any(query.args.get(cut) for cut in ("limit", "offset", "fetch"))
        )
    return isinstance(around, exp.AggFunc | exp.Anonymous) and not isinstance(
        around, exp.Count | exp.Sum | exp.Avg
    )


def _is_value(node: exp.Expr) -> bool:
    """Say whether a collated text goes on as a value: not into a comparison or an order."""
    parent = node.parent
    while parent is not None and not isinstance(parent, exp.Query):
        if isinstance(parent, _CLEAR):
            return False
        parent = parent.parent
    return True


Columns = list[tuple[exp.Expr | None, Col]]


def _merges(subject: Subject) -> Iterator[tuple[exp.Expr, Columns]]:
    """Yield the queries that make equal values one, with the columns in which they do."""
    for scope in subject.walk.scopes.values():
        if scope.select.args.get("distinct") is not None:
            yield scope.select, scope.outputs
        elif scope.select.args.get("group") is not None:
            yield scope.select, _groups(subject, scope)
    for node in subject.find_all(exp.SetOperation):
        if node.args.get("distinct") and id(node) in subject.walk.unlimited:
            yield node, [(None, column) for column in subject.walk.unlimited[id(node)].columns]


def _groups(subject: Subject, scope: Scope) -> Columns:
    """Return the output columns that hold what a SELECT groups by, the others kept as gaps."""
    wanted = group_outputs(scope, subject.walk) or []
    gap = Col(None, None)
    return [(node, column) if column in wanted else (None, gap) for node, column in scope.outputs]


def _type(subject: Subject, query: exp.Expr, index: int, column: Col) -> str:
    """Return the type of a column: DuckDB's own where the query is the whole, else what is known of it."""
    if column.name is None and column.inputs is None:
        return ""
    scope = subject.walk.scopes.get(id(query))
    whole = query is subject.tree and (scope is None or None not in scope.widths)
    if whole and index < len(subject.output.columns):
        return subject.output.columns[index].type
    if column.type is None and column.kind is None and scope is not None:
        node = scope.outputs[index][0]
        return _type_of_expression(subject, node, scope) if node is not None else ""
    return column.type or ("DOUBLE" if column.kind == "float" else "")


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
