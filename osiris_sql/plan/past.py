"""An earlier run, or a plan file, as selection sees it: what the project was, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from osiris_sql.types.noun import noun
from osiris_sql.types.plan import Plan
from osiris_sql.types.result import RunResult

DONE = ("success", "reused", "pass", "warn")
STATES = ("new", "modified", "unmodified", "old")
RESULTS = ("success", "reused", "error", "fail", "skipped", "pass", "warn", "unfinished")


@noun
class Past:
    """`fingerprints` are those of all nodes of the project then; `results` what each planned node came to:
    success, reused, error, fail (a data test failed), skipped, or unfinished; a test also pass or warn. None
    is a plan that was not run."""

    fingerprints: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] | None = None

    def has_result(self, node: str, wanted: str) -> bool:
        """Say whether a node came to `wanted`."""
        found = (self.results or {}).get(node)
        return found is not None and (found == wanted or (wanted == "unfinished" and found not in DONE))

    def is_state(self, node: str, fingerprint: str, wanted: str) -> bool:
        """Say whether a node is `new`, `modified` (new ones too), `unmodified` or `old` (not new)."""
        before = self.fingerprints.get(node)
        match wanted:
            case "new":
                return before is None
            case "old":
                return before is not None
            case "modified":
                return before != fingerprint
            case _:
                return before == fingerprint


def remember(plan: Plan, result: RunResult | None = None) -> Past:
    """Return what selection may ask about a plan and, if it was run, about what it did."""
    if result is None:
        return Past(fingerprints=plan.nodes)
    nodes = {step.id: step.node for step in plan.steps}
    results = dict.fromkeys(nodes.values(), "unfinished")
    for finished in result.steps:
        failed = {d.rule for d in finished.diagnostics} == {"test-failed"}
        status = {"failed": "fail" if failed else "error", "cancelled": "unfinished"}
        results[nodes[finished.step]] = status.get(finished.status, finished.status)
    results |= {f"test:{test.test}": test.status for test in result.tests}
    return Past(fingerprints=plan.nodes, results=results)
