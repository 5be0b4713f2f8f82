"""Windows that number or look along rows need an order without ties: row_number, ntile, lag, lead."""

from __future__ import annotations

from collections.abc import Iterator

from osiris_sql.compile.determinism.calls import has_window, read_arguments, read_window, window_order
from osiris_sql.compile.determinism.catalogue import POSITION_WINDOWS
from osiris_sql.compile.determinism.clashes import clashing
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.frames import kind
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.rules.tie_messages import added, clash, joined, ordered_source
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.determinism.total_order import tie_breakers


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each such window."""
    clashes = clashing(subject)
    for call in subject.outline.calls:
        if call in clashes and call.name in POSITION_WINDOWS:
            yield subject.ruling("tied-order", "unsafe", clash(call.name), subject.span_of(call))
        elif call.name in POSITION_WINDOWS and has_window(subject.outline, call):
            yield _judge(subject, call)


def _judge(subject: Subject, call: Call) -> Ruling:
    node = subject.node_of(call)
    window = read_window(subject, call, node) if node is not None else None
    scope = subject.scope_of(node) if node is not None else None
    span = subject.span_of(call)
    fix = f"add a key to the ORDER BY of {call.name}"
    if node is None or window is None or scope is None or read_arguments(subject.outline, call).order:
        return subject.ruling("tied-order", "unsafe", f"{call.name} may meet ties; {fix}", span)
    if not window.order and ordered_source(scope):
        message = f"{call.name} relies on the ORDER BY of a subquery; move it into the OVER of {call.name}"
        return subject.ruling("ordered-subquery", "unsafe", message, span)
    parts = tie_breakers(subject, scope, call.block, [*window.partition, *window.order])
    if parts is None:
        return subject.ruling("tied-order", "unsafe", f"{call.name} may meet ties; {fix}", span)
    if not parts:
        return subject.ruling("tied-order", "proved", f"the order of {call.name} has no ties", span)
    if call.name == "fill" or (window.spec is not None and kind(window.spec) != "ROWS"):
        return subject.ruling("tied-order", "unsafe", f"{call.name} may meet ties; {fix}", span)
    edit = window_order(subject.outline, window, joined(parts))
    message = f"the order of {call.name} may have ties; {added(subject, parts)}"
    return subject.ruling("tied-order", "rewritten", message, span, edit)
