"""Aggregates that hang on the order of their rows: lists, picks such as first and arg_max, and sums of
DOUBLE. They get an ORDER BY of their own arguments, after the author's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from osiris_sql.compile.determinism.calls import (
    Arguments,
    argument_order,
    has_window,
    listed,
    own_order,
    read_arguments,
)
from osiris_sql.compile.determinism.catalogue import APPROXIMATE, LISTS, MACROS, MOMENTS, ORDERED, PICKS, SUMS
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.floats import added_as_decimal, adds_exactly
from osiris_sql.compile.determinism.intervals import equal_intervals, takes_intervals
from osiris_sql.compile.determinism.outline import Call, Tokens
from osiris_sql.compile.determinism.rules.tie_messages import ordered_source
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.determinism.total_order import group_items, known_by
from osiris_sql.compile.lineage.chase import is_total
from osiris_sql.compile.lineage.facts import Scope
from osiris_sql.compile.lineage.resolve import resolve

_RELY_ON_ORDER = LISTS | {"first", "last"}
# What these give in one SELECT comes from the same rows: list(a) lines up with list(b).
_ALIGNED = LISTS | PICKS - {"mode"}


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each such aggregate."""
    unsettled = []
    for call in subject.outline.calls:
        if call.name in MACROS:
            message = f"{call.name} takes rows in any order, and can't be told one; write {MACROS[call.name]}"
            yield subject.ruling("unordered-aggregate", "unsafe", message, subject.span_of(call))
        elif call.name in APPROXIMATE:
            message = f"{call.name} guesses, and guesses differ; use {APPROXIMATE[call.name]}"
            yield subject.ruling("approximate-aggregate", "unsafe", message, subject.span_of(call))
        elif call.name in ORDERED and not has_window(subject.outline, call):
            open_call = _OpenCall(call, subject.node_of(call), read_arguments(subject.outline, call))
            rulings = _judge(subject, open_call)
            yield from rulings or ()
            if rulings is None:
                unsettled.append(open_call)
    yield from (_ordered(subject, one, _taken_beside(subject, one, unsettled)) for one in unsettled)


@dataclass(frozen=True, slots=True)
class _OpenCall:
    """A call whose answer may hang on the order of rows, with its node and its arguments."""

    call: Call
    node: exp.Expr | None
    arguments: Arguments

    @property
    def rule(self) -> str:
        """Return the rule that its findings are of."""
        return "floating-sum" if self.call.name in SUMS | MOMENTS else "unordered-aggregate"

    @property
    def values(self) -> list[Tokens]:
        """Return the arguments that rows differ in."""
        return self.arguments.values[: 1 if self.call.name in LISTS else 2]

    @property
    def aligned_in(self) -> int | None:
        """Return the SELECT or PIVOT in which it lines up with its like; None if it does not."""
        if self.node is None or self.call.name not in _ALIGNED or self.node.find(exp.Distinct):
            return None
        return id(self.node.find_ancestor(exp.Select, exp.Pivot))


def _judge(subject: Subject, one: _OpenCall) -> list[Ruling] | None:
    """Return what can be said of a call by itself; None if it has to be put in order."""
    call, node, arguments, rule = one.call, one.node, one.arguments, one.rule
    span = subject.span_of(call)
    scope = subject.scope_of(node) if node is not None else None
    if call.method or node is None:
        message = f"{call.name} takes rows in any order; write {call.name}(x order by x)"
        return [subject.ruling(rule, "unsafe", message, span)]
    if (
        node.find_ancestor(exp.WithinGroup, exp.Select) is not None
        and isinstance(node.parent, exp.WithinGroup)
    ) or adds_exactly(subject, call, node, scope, arguments):
        return []
    if scope is not None and _relies_on_source(call, arguments, scope):
        message = f"{call.name} relies on the ORDER BY of a subquery; write {call.name}(x order by …)"
        return [subject.ruling("ordered-subquery", "unsafe", message, span)]
    if scope is not None and _is_settled(subject, call, node, scope):
        return [subject.ruling(rule, "proved", f"{call.name} meets its rows in one order only", span)]
    exact = added_as_decimal(subject, call, node, arguments, rule)
    return [exact] if exact else None


def _relies_on_source(call: Call, arguments: Arguments, scope: Scope) -> bool:
    return call.name in _RELY_ON_ORDER and arguments.order is None and ordered_source(scope)


def _is_settled(subject: Subject, call: Call, node: exp.Expr, scope: Scope) -> bool:
    """Say whether each group has one row, or one value, or an order without ties."""
    items = group_items(subject, scope, call.block)
    if items is None or scope.select.args.get("group") is None:
        items = []
    order = own_order(node)
    known = known_by(subject, scope, [*(item for item, _ in items), *order])
    if is_total(scope, known) or _is_settled_by_measure(subject, node, scope, [i for i, _ in items]):
        return True
    if call.name not in PICKS | LISTS or order:
        return False
    values = [
        resolve(v, scope, subject.walk).origin
        for v in subject.arguments_of(node)
        if isinstance(v, exp.Column)
    ]
    return bool(values) and len(values) == len(subject.arguments_of(node)) and set(values) <= known.atoms


def _is_settled_by_measure(subject: Subject, node: exp.Expr, scope: Scope, group: list[exp.Expr]) -> bool:
    """Say whether what arg_max compares has no ties within a group."""
    measure = node.args.get("expression") if isinstance(node, exp.ArgMax | exp.ArgMin) else None
    while isinstance(measure, exp.Order):
        measure = measure.this
    return measure is not None and is_total(scope, known_by(subject, scope, [*group, measure]))


def _taken_beside(subject: Subject, one: _OpenCall, unsettled: list[_OpenCall]) -> list[Tokens]:
    """Return what a call and those that line up with it take, which is one order for all of them."""
    where = one.aligned_in
    lined_up = [other for other in unsettled if other.aligned_in == where] if where is not None else [one]
    taken: dict[str, Tokens] = {}
    for value in (value for other in lined_up for value in other.values):
        taken.setdefault(_plain(subject.outline.text(value)), value)
    return list(taken.values())


def _ordered(subject: Subject, one: _OpenCall, taken: list[Tokens]) -> Ruling:
    call, arguments, rule = one.call, one.arguments, one.rule
    span = subject.span_of(call)
    outline = subject.outline
    have = [_plain(outline.text(t)) for t in outline.split(arguments.order)] if arguments.order else []
    if not arguments.values:
        return subject.ruling(rule, "unsafe", f"{call.name} takes rows in any order", span)
    if call.name not in SUMS and one.node is not None and takes_intervals(subject, call, one.node):
        return equal_intervals(subject, f"the argument of {call.name}", span)
    if all(_plain(outline.text(v)) in have for v in one.values):
        return subject.ruling(rule, "proved", f"{call.name} orders its rows by all that it takes", span)
    wanted = [v for v in taken if _plain(outline.text(v)) not in have]
    edit = argument_order(outline, arguments, listed(outline, wanted))
    what = "adds DOUBLE values" if rule == "floating-sum" else "takes its rows"
    message = f"{call.name} {what} in any order; it does so in the order of its argument"
    return subject.ruling(rule, "rewritten", message, span, edit)


def _plain(text: str) -> str:
    """Return an ORDER BY item without its direction, for comparison."""
    words = text.lower().split()
    while words and words[-1] in ("asc", "desc", "nulls", "first", "last"):
        words.pop()
    return " ".join(words)
