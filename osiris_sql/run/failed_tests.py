"""The SQL of tests that did not pass, in the run's folder: a person can run it as it stands."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from osiris_sql.types.plan import Plan
from osiris_sql.types.result import RunResult


def compiled_path(test: str) -> str:
    """Return where the SQL of a test is written, relative to the run's folder."""
    plain = re.sub(r"[^\w.-]+", "_", test)[:80]
    if plain != test:
        plain += "-" + hashlib.sha256(test.encode()).hexdigest()[:8]
    return f"tests/{plain}.sql"


def write_compiled(folder: Path, plan: Plan, result: RunResult) -> None:
    """Write the SQL of each test that failed or warned, with the place where it is declared."""
    declared = {(step.id, test.name): test for step in plan.steps for test in getattr(step, "tests", ())}
    for finished in result.tests:
        test = declared.get((finished.step, finished.test))
        if finished.compiled and test:
            path = folder / compiled_path(test.name)
            path.parent.mkdir(exist_ok=True)
            clock = f"-- $run_clock is TIMESTAMPTZ '{plan.run_clock}'\n" if "$run_clock" in test.sql else ""
            path.write_text(f"-- {test.name}: {test.location}\n{clock}{test.sql.strip()}\n", encoding="utf-8")
