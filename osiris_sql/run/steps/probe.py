"""Asks a connection whether it can be reached and used."""

from __future__ import annotations

from osiris_sql.protocols import Source, Target
from osiris_sql.run.reach import reach
from osiris_sql.run.steps.running import Running
from osiris_sql.types.diagnostic import OsirisError
from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Probe


def run_probe(running: Running, step: Probe) -> StepFinished:
    """Return what answered, in `facts`; where nothing did, the addresses that were tried are there too."""
    address = running.connections.address(step.role, step.connection)
    reached = reach(*address) if address else {}
    end: Source | Target
    try:
        if step.role == "source":
            end = running.connections.source(step.connection)
        else:
            end = running.connections.target(step.connection)
        answer = end.probe()
    except OsirisError as error:
        return StepFinished(step=step.id, status="failed", facts=reached, diagnostics=error.diagnostics)
    return StepFinished(
        step=step.id,
        status="success",
        why=step.why,
        facts={"server": answer.server, **answer.facts, **reached},
        diagnostics=answer.warnings,
    )
