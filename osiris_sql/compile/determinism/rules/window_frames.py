"""Windows over frames: which rows a frame holds, and in which order they are taken, must not depend
on ties. first_value, last_value and nth_value, and every aggregate with OVER."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.determinism.calls import (
    Arguments,
    Parts,
    Window,
    argument_order,
    has_window,
    listed,
    own_order,
    read_arguments,
    read_window,
    window_order,
)
from osiris_sql.compile.determinism.catalogue import (
    LISTS,
    MOMENTS,
    ORDERED,
    POSITION_WINDOWS,
    RANK_WINDOWS,
    SUMS,
    VALUE_WINDOWS,
)
from osiris_sql.compile.determinism.clashes import clashing
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.floats import added_as_decimal, adds_exactly
from osiris_sql.compile.determinism.frames import excludes_peers, is_whole, moves_by_rows
from osiris_sql.compile.determinism.intervals import equal_intervals, takes_intervals
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.rules.tie_messages import added, clash, joined
from osiris_sql.compile.determinism.splice import Span
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.determinism.total_order import tie_breakers

_OTHERS = POSITION_WINDOWS | RANK_WINDOWS


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each window whose answer may hang on ties."""
    clashes = clashing(subject)
    for call in subject.outline.calls:
        if call in clashes and call.name not in _OTHERS:
            yield subject.ruling("tied-order", "unsafe", clash(call.name), subject.span_of(call))
        elif call.name not in _OTHERS and has_window(subject.outline, call):
            yield from _judge(subject, call)


def _judge(subject: Subject, call: Call) -> Iterator[Ruling]:
    node = subject.node_of(call)
    window = read_window(subject, call, node) if node is not None else None
    scope = subject.scope_of(node) if node is not None else None
    span = subject.span_of(call)
    arguments = read_arguments(subject.outline, call)
    if node is None or window is None or scope is None:
        yield subject.ruling("tied-order", "unsafe", _fix(call), span)
        return
    by_rows = moves_by_rows(window.spec)
    ordered = call.name in VALUE_WINDOWS or (
        call.name in ORDERED and not adds_exactly(subject, call, node, scope, arguments)
    )
    if not by_rows and not ordered:
        return
    picked = ordered and (call.name == "mode" or _is_distinct(subject, call))
    if picked and takes_intervals(subject, call, node):
        yield equal_intervals(subject, f"the argument of {call.name}", span)
        return
    around = tie_breakers(subject, scope, call.block, [*window.partition, *window.order])
    own = own_order(node) if ordered else []
    within = around
    if own:
        nodes = [*window.partition, *own]
        orders_all = _orders_all(subject, call, node, arguments, own)
        within = [] if orders_all else tie_breakers(subject, scope, call.block, nodes)
    if within == [] and (around == [] or not by_rows):
        message = f"the order of the window of {call.name} has no ties"
        yield subject.ruling("tied-order", "proved", message, span)
    elif around and (by_rows or (not own and _takes_by_window(call, window))):
        if (own and within != []) or excludes_peers(window.spec):
            yield subject.ruling("tied-order", "unsafe", _fix(call), span)
            return
        edit = window_order(subject.outline, window, joined(around))
        message = f"the order of the window of {call.name} may have ties; {added(subject, around)}"
        yield subject.ruling("tied-order", "rewritten", message, span, edit)
    elif around is None and by_rows:
        yield subject.ruling("tied-order", "unsafe", _fix(call), span)
    else:
        exact = added_as_decimal(subject, call, node, arguments, "tied-order")
        yield exact or _by_arguments(subject, call, window, arguments, within)


def _orders_all(
    subject: Subject, call: Call, node: exp.Expr, arguments: Arguments, own: list[exp.Expr]
) -> bool:
    """Say whether a call orders its rows by all that it takes, so that those that tie are alike."""
    taken = subject.arguments_of(node)
    return (
        len(arguments.values) == len(taken) == 1
        and taken[0] in own
        and not takes_intervals(subject, call, node)
    )


def _takes_by_window(call: Call, window: Window) -> bool:
    return bool(window.order) and is_whole(window.spec) and call.name in VALUE_WINDOWS


def _by_arguments(
    subject: Subject, call: Call, window: Window, arguments: Arguments, breakers: list[Parts] | None
) -> Ruling:
    """Order the rows inside each frame, which a RANGE frame leaves open: by the order of the window and what
    breaks its ties, so that what several calls take lines up; sums by what they add."""
    span = subject.span_of(call)
    picks = call.name not in SUMS | MOMENTS | {"mode"} and not _is_distinct(subject, call)
    takes_value = call.name in VALUE_WINDOWS
    each = takes_value or is_whole(window.spec) or not window.order or arguments.order is not None
    if not arguments.values or call.method or not each:
        # An aggregate that orders each of its moving frames takes quadratic time; some ask for it.
        return subject.ruling("tied-order", "unsafe", _fix(call), span)
    single = call.name in VALUE_WINDOWS | LISTS
    parts = listed(subject.outline, arguments.values[:1] if single else arguments.values)
    if picks and breakers is not None:
        parts = joined(breakers)
    if picks and window.order_text is not None and arguments.order is None:
        parts = [Span(*subject.outline.span(window.order_text)), ", ", *parts]
    edit = argument_order(subject.outline, arguments, parts)
    how = "order of its window, and ties by all that tells rows apart" if picks else "order of its argument"
    message = f"{call.name} takes the rows of its frame in any order; they are taken in the {how}"
    return subject.ruling("tied-order", "rewritten", message, span, edit)


def _is_distinct(subject: Subject, call: Call) -> bool:
    return subject.outline.word(call.open + 1) == "distinct"


def _fix(call: Call) -> str:
    return (
        f"the window of {call.name} may have ties; add a key to its ORDER BY"
        " (with a frame of ROWS), or sum DECIMAL values"
    )
