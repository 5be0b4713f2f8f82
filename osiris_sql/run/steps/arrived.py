"""Runs data tests on what arrived in a target: before that is committed there, or as it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from osiris_sql.protocols import TestOutcome
from osiris_sql.run.steps.running import Running
from osiris_sql.run.steps.tests import SAMPLE, ChecksFailedError, tell, why_failed
from osiris_sql.types.plan import PlannedTest

if TYPE_CHECKING:
    from osiris_sql.protocols import TestedTarget

Ask = Callable[[PlannedTest, int], TestOutcome]
"""Asks a target's database one test, for so many offending rows."""


def run_arrived(running: Running, step: str, tests: Sequence[PlannedTest], ask: Ask) -> None:
    """Run every test; raises ChecksFailedError after the last, if one of them failed."""
    failed = []
    for test in tests:
        began = time.monotonic()
        outcome = ask(test, SAMPLE)
        if tell(running, step, test, outcome, time.monotonic() - began) == "fail":
            failed.append(test)
    if failed:
        raise ChecksFailedError(*(why_failed(test) for test in failed))


def asking(running: Running, connection: str) -> Ask:
    """Return what asks a target's tables as they stand."""
    return cast("TestedTarget", running.connections.target(connection)).ask
