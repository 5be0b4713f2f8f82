"""Whether a plan fits the world that it is run in: made by these versions, for this state."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version

from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.observed import Deferred, StepState
from osiris_sql.types.plan import Plan

# sqlglot only makes plans; no run needs it.
RUNNING = ("osiris-sql", "duckdb")

_latest: tuple[Mapping[str, StepState], str] = {}, hashlib.sha256(b"{}").hexdigest()


def refuse_other_versions(plan: Plan) -> None:
    """Raise ProjectError if another tool or engine made the plan: its numbers might differ."""
    wrong = tuple(
        Diagnostic(
            rule="another-version",
            message=f"the plan was made with {name} {planned}, here is {version(name)}",
            why="another version may compute other numbers",
            fix="make the plan again, or install that version",
        )
        for name in RUNNING
        if (planned := plan.versions.get(name)) is not None and planned != version(name)
    )
    if wrong:
        raise ProjectError(*wrong)


def refuse_misfit(plan: Plan, state: Mapping[str, StepState]) -> None:
    """Raise ProjectError if the warehouse is not the one, or not in the state, that was planned for."""
    if plan.state is not None and plan.state != digest_state(state):
        last = max((known.run_id for known in state.values()), default=None)
        raise ProjectError(
            Diagnostic(
                rule="another-state",
                message="the warehouse is not in the state that the plan was made for",
                why=f"the last run in it is {last}" if last else "it is empty",
                fix="make the plan again: osiris-sql plan --out plan.json",
            )
        )


def refuse_moved(deferred: Deferred, state: Mapping[str, StepState]) -> None:
    """Raise ProjectError if the other environment no longer holds the rows that were planned with."""
    now = {node: str(known.data) for node, known in state.items()}
    moved = [node.partition(":")[2] for node, data in deferred.nodes.items() if now.get(node) != data]
    if moved:
        raise ProjectError(
            Diagnostic(
                rule="another-state",
                message=f"{deferred.env} holds other rows than the plan was made for",
                why=f"changed: {', '.join(moved)}",
                fix="make the plan again, or run the build again",
            )
        )


def digest_state(state: Mapping[str, StepState]) -> str:
    """Return the identity of what a warehouse remembers."""
    global _latest
    # A build asks when it plans and when it runs, mostly for the same objects.
    if state != _latest[0]:
        _latest = dict(state), wire.digest(dict(state))
    return _latest[1]
