"""The verb that lays two runs side by side, by the facts of their run cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osiris_sql.api.history import read_plan, read_run
from osiris_sql.run.card import make_card
from osiris_sql.types.diagnostic import Diagnostic, ProjectError


@dataclass(frozen=True, kw_only=True)
class FactChange:
    """A fact that differs between two runs, such as `steps.materialize.orders.rows_out`; None: not there."""

    fact: str
    before: Any
    after: Any


def read_card(root: Path, run_id: str) -> dict[str, Any]:
    """Return the run card of a run, also of one that was killed; raises ProjectError if there is none."""
    plan = read_plan(root, run_id)
    found = read_run(root, run_id)
    if found is None:
        message = f"the run {run_id} said nothing before it ended"
        raise ProjectError(Diagnostic(rule="no-such-run", message=message))
    return make_card(plan, found)


def compare_runs(root: Path, before: str, after: str) -> list[FactChange]:
    """Return the facts that differ, sorted by name; what was observed, such as times, is left out."""
    one, two = (dict(_flat(read_card(root, run)["facts"])) for run in (before, after))
    return [
        FactChange(fact=name, before=one.get(name), after=two.get(name))
        for name in sorted(one.keys() | two.keys())
        if one.get(name) != two.get(name)
    ]


def _flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{name}.")
        else:
            flat.append((f"{prefix}{name}", value))
    return flat
