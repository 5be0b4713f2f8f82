"""Intervals are equal to others that are spelt otherwise (1 month, 30 days), so no order tells them apart."""

from __future__ import annotations

from sqlglot import exp

from osiris_sql.compile.determinism.calls import read_arguments
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.facts import Relation, kind_of_type
from osiris_sql.compile.lineage.numbers import kind_of


def equal_intervals(subject: Subject, what: str, span: tuple[int, int] | None) -> Ruling:
    """Return the ruling on a value that is chosen from equal ones."""
    message = (
        f"{what} is an INTERVAL, and 1 month equals 30 days: which one is kept hangs"
        " on the order of rows; take its text, ::VARCHAR"
    )
    return subject.ruling("equal-intervals", "unknown", message, span)


def takes_intervals(subject: Subject, call: Call, node: exp.Expr) -> bool:
    """Say whether the first argument of a call is an interval, or holds one; DuckDB is asked in doubt."""
    values, scope = subject.arguments_of(node), subject.scope_around(node)
    if not subject.may_hold_intervals or not values or scope is None:
        return False
    kind = kind_of(values[0], scope, subject.walk)
    if kind is not None:
        return kind == "interval"
    written = read_arguments(subject.outline, call).values
    types = subject.types_of(call.block, written[0]) if written else ()
    return any(kind_of_type(type_name) == "interval" for type_name in types)


def gives_intervals(subject: Subject, node: exp.Expr, relation: Relation) -> bool:
    """Say whether a query has a column of intervals."""
    if not subject.may_hold_intervals:
        return False
    kinds = [column.kind or kind_of_type(column.type or "") for column in relation.columns]
    unknown = node is subject.tree and any(not c.kind and not c.type for c in relation.columns)
    if unknown and len(subject.output.columns) == len(kinds):
        own = [kind_of_type(column.type) for column in subject.output.columns]
        kinds = [c.kind or kind for c, kind in zip(relation.columns, own, strict=True)]
    return "interval" in kinds
