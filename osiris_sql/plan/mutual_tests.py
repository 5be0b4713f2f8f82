"""Data tests of two nodes that read each other: neither node can be built before the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from osiris_sql.support.dag import reach
from osiris_sql.types.plan import Check, Extract, Materialize, PlannedTest, Step

WHY = "tests of two tables that read each other wait for both"


def with_mutual_tests_apart(
    steps: dict[str, Step], check: Callable[[str, tuple[PlannedTest, ...]], Check]
) -> dict[str, Step]:
    """Return the steps by node, with a step of their own for tests that would let a node wait for itself."""
    needs = {
        node: set(step.inputs) if isinstance(step, Materialize) else set() for node, step in steps.items()
    }
    apart: dict[str, Step] = {}
    for node, step in steps.items():
        if not isinstance(step, Extract | Materialize):
            continue
        closing = []
        for test in step.tests:
            others = set(test.reads) - {node}
            if node in reach(needs, others):
                closing.append(test)
            else:
                needs[node] |= others
        if closing:
            kept = tuple(test for test in step.tests if test not in closing)
            apart[node] = replace(step, tests=kept)
            apart[f"check:{node}"] = replace(check(node, tuple(closing)), why=WHY)
    return {**steps, **apart}
