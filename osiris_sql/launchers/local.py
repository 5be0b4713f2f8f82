"""Runs a plan in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from osiris_sql.protocols import Sink
from osiris_sql.run.execute import execute
from osiris_sql.types.plan import Plan


class LocalLauncher:
    """The default launcher."""

    name = "local"

    def prepare(self, plan: Plan, root: Path) -> Plan:
        """Return the plan as it is."""
        return plan

    def launch(
        self,
        plan: Plan,
        root: Path,
        run_id: str,
        environ: Mapping[str, str],
        sinks: Sequence[Sink],
        *,
        fail_fast: bool = False,
    ) -> int:
        """Run the plan, feed its events to `sinks` in order, and return the exit code."""
        return execute(plan, root, environ, sinks, run_id=run_id, launcher=self.name, fail_fast=fail_fast)


PLUGIN = LocalLauncher
