"""The run card: facts, equal for the same plan on every machine, and what was observed beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from osiris_sql.support import wire
from osiris_sql.types.plan import Plan
from osiris_sql.types.result import RunResult


def make_card(plan: Plan, result: RunResult) -> dict[str, Any]:
    """Return the card: `facts` hold hashes, counts, versions and verdicts, `observed` times and ids."""
    steps = sorted(result.steps, key=lambda step: step.step)
    tests = sorted(result.tests, key=lambda test: test.test)
    return {
        "facts": {
            "plan_sha256": result.plan_sha256,
            "code_sha256": result.code_sha256,
            "versions": dict(plan.versions),
            "status": result.status,
            "steps": {
                step.step: {
                    "status": step.status,
                    "rows_in": step.rows_in,
                    "rows_out": step.rows_out,
                    "data": str(step.data) if step.data else None,
                    **step.facts,
                }
                for step in steps
            },
            "tests": {t.test: {"status": t.status, "failures": t.failures} for t in tests},
        },
        "observed": {
            "run_id": result.run_id,
            "started_at": result.started_at,
            "seconds": result.seconds,
            "step_seconds": {step.step: step.seconds for step in steps},
            "steps": {step.step: dict(step.observed) for step in steps if step.observed},
        },
    }


def write_card(folder: Path, plan: Plan, result: RunResult) -> None:
    """Write `run_card.json` into the run's folder."""
    (folder / "run_card.json").write_text(wire.dump_lines(make_card(plan, result), 3) + "\n")
