"""The run that a step is part of."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from osiris_sql.protocols import DiscoveredTable, Emit, Engine
from osiris_sql.run.connections import Connections
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.event import TestStatus
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Materialize, Plan


@dataclass(slots=True)
class Asked:
    """How the data tests of a step ended so far, by name: a test whose query fails ends the transaction, and
    the others are asked in another one. `alone` says that a scan of several failed; `behind` are those that
    come after the one that is asked now."""

    told: dict[str, TestStatus] = field(default_factory=dict)
    broken: dict[str, Diagnostic] = field(default_factory=dict)
    alone: bool = False
    behind: int = 0


@dataclass(frozen=True, kw_only=True)
class Running:
    """A run in progress: its plan, its open ends, and what the warehouse held when it began.

    `data` maps a node to the data fingerprint of its rows as they are now, as text. `state` is what the
    warehouse remembers of each node, with what this run has built and published. `discovered` are the
    tables of a source connection as they are now, by identifier, once somebody asked. `asked` is by step.
    """

    run_id: str
    plan: Plan
    root: Path
    folder: Path
    engine: Engine
    connections: Connections
    emit: Emit
    state: dict[str, StepState]
    data: dict[str, str] = field(default_factory=dict)
    discovered: dict[str, dict[str, DiscoveredTable]] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def models(self) -> dict[str, Materialize]:
        """The steps of the plan that build models, by their id."""
        return {step.id: step for step in self.plan.steps if isinstance(step, Materialize)}
