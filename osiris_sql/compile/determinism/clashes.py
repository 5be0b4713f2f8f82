"""Windows that number the same rows in different orders.

Rows that a query can't tell apart may be numbered in any order: it makes no difference. But if two
windows of one SELECT number them, each in an order of its own, the pairs of numbers do differ.
"""

from __future__ import annotations

from collections import defaultdict

from osiris_sql.compile.determinism.calls import Window, has_window, read_window
from osiris_sql.compile.determinism.catalogue import POSITION_WINDOWS, RANK_WINDOWS
from osiris_sql.compile.determinism.frames import moves_by_rows
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.determinism.total_order import has_key
from osiris_sql.compile.lineage.facts import Scope


def clashing(subject: Subject) -> frozenset[Call]:
    """Return the calls whose windows tell equal rows apart in more than one way."""
    numbered: dict[Scope, list[tuple[Call, Window]]] = defaultdict(list)
    for call in subject.outline.calls:
        node = subject.node_of(call) if has_window(subject.outline, call) else None
        window = read_window(subject, call, node) if node is not None else None
        scope = subject.scope_of(node) if node is not None else None
        if window is not None and scope is not None and _tells_apart(call, window):
            numbered[scope].append((call, window))
    return frozenset(
        call
        for scope, calls in numbered.items()
        if len({_signature(window) for _, window in calls}) > 1 and not has_key(subject, scope)
        for call, _ in calls
    )


def _tells_apart(call: Call, window: Window) -> bool:
    return call.name in POSITION_WINDOWS or (call.name not in RANK_WINDOWS and moves_by_rows(window.spec))


def _signature(window: Window) -> tuple[object, ...]:
    """Return what two windows have in common that DuckDB sorts only once."""
    return tuple(window.partition), tuple(window.items)
