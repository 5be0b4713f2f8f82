"""Who waits for whose data tests: nothing is built on or made of rows that a test says are wrong."""

from __future__ import annotations

from collections.abc import Mapping

from osiris_sql.support.dag import reach, sort_nodes
from osiris_sql.types.plan import Check, Extract, Materialize, Publish, Step


def rows_of(step: Step) -> tuple[str, ...]:
    """Return the nodes whose rows a step reads to make others of them."""
    match step:
        case Materialize():
            return step.inputs
        case Publish():
            return (step.input,)
    return ()


def wait_for_judges(needs: dict[str, set[str]], steps: Mapping[str, Step]) -> None:
    """Let each step wait, in `needs`, for the tests of all rows that it is made of, wherever they run.

    A step that must come before such a test can't wait for it: those made of its rows do.
    """
    judges = _judges(steps)
    unheard: dict[str, set[str]] = {}
    for node in sort_nodes(needs) if judges else ():
        rows = rows_of(steps[node])
        wanted = {judge for row in rows for each in (judges, unheard) for judge in each.get(row, ())}
        for judge in sorted(wanted - {node}):
            if node in reach(needs, [judge]):
                unheard.setdefault(node, set()).add(judge)
            else:
                needs[node].add(judge)


def _judges(steps: Mapping[str, Step]) -> dict[str, set[str]]:
    """Return for each node the others in whose step it is tested.

    A singular test is of all that it reads, a generic one of what it is declared on, wherever it runs.
    """
    judges: dict[str, set[str]] = {}
    for node, step in steps.items():
        if not isinstance(step, Extract | Materialize | Check):
            continue
        apart = isinstance(step, Check) and not step.connection
        for test in step.tests:
            for read in test.reads if apart else test.about:
                judges.setdefault(read, set()).add(node)
    return judges
