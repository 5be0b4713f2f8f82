"""The launcher: ships the plan, follows its events, brings back what it wrote, leaves no sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from osiris_sql.launchers.e2b.arrival import put_in_place
from osiris_sql.launchers.e2b.cargo import Cargo, connections_variables, pack
from osiris_sql.launchers.e2b.courier import Courier, Ended
from osiris_sql.launchers.e2b.follow import Follower
from osiris_sql.launchers.e2b.options import read_options
from osiris_sql.launchers.e2b.remote import Remote
from osiris_sql.protocols import Sink
from osiris_sql.run.connections import check_environ
from osiris_sql.run.execute import hash_plan
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.plan import Plan


class E2BLauncher:
    """Runs `osiris_sql.worker` in a sandbox of E2B."""

    name = "e2b"

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
        """Run the plan, feed its events to `sinks` in order, and return the exit code.

        Raises OsirisError if the run does not begin; what goes wrong later ends its events.
        """
        options = read_options(environ)
        _refuse_without_sdk()
        check_environ(plan.connections, environ)
        cargo = pack(plan, root, run_id, environ, fail_fast=fail_fast, fetch=options.fetch)
        names = connections_variables(plan.connections)
        given = {name: environ[name] for name in sorted(names) if name in environ}
        remote = Remote(options)
        folder = root / ".osiris" / "runs" / run_id
        folder.mkdir(parents=True, exist_ok=True)

        def begin(courier: Courier) -> None:
            metadata = {"project": plan.project, "plan_sha12": hash_plan(plan)[:12]}
            remote.create(run_id, metadata)
            _write_record(folder, {"sandbox": remote.id, "run": run_id})
            courier.stop_if_cancelled()
            remote.upload(cargo)
            courier.stop_if_cancelled()
            remote.start(cargo, given)

        follower = Follower(plan, run_id, sinks, given.values())
        try:
            return follower.follow(
                remote,
                begin,
                folder,
                lease=options.lease,
                detach=options.detach,
                arrive=lambda ended: _arrive(plan, root, run_id, cargo, ended, fetch=options.fetch),
            )
        finally:
            if not follower.left_running:
                remote.kill()
                (folder / "remote.json").unlink(missing_ok=True)


def _refuse_without_sdk() -> None:
    try:
        import e2b  # noqa: F401 - only whether it is there
    except ImportError:
        raise ProjectError(
            Diagnostic(
                rule="missing-package",
                message="launcher e2b needs the package e2b",
                fix='pip install "osiris-sql[e2b]"',
            )
        ) from None


def _write_record(folder: Path, record: Mapping[str, str]) -> None:
    """Remember the sandbox before anything runs in it, so that a lost client can be attached again."""
    part = folder / "remote.json.part"
    part.write_text(json.dumps(record) + "\n")
    part.replace(folder / "remote.json")


def _arrive(plan: Plan, root: Path, run_id: str, cargo: Cargo, ended: Ended, *, fetch: bool) -> None:
    artifacts = ended.status.get("artifacts")
    if not artifacts:
        return
    if not fetch:
        put_in_place(ended.archive, artifacts, cargo, root)
        return
    warehouse = root / plan.warehouse
    with hold_warehouse(warehouse, run_id):
        put_in_place(ended.archive, artifacts, cargo, root)
        # Opening it writes the mirror of its state anew.
        load_plugin("engines", plan.engine)(warehouse, plan.engine_settings, read_only=False).close()
