"""The launcher: ships the plan, follows its events, brings back what it wrote, leaves no sandbox."""

from __future__ import annotations

import getpass
import hashlib
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree

from osiris_sql.launchers.e2b import failure
from osiris_sql.launchers.e2b.account import end_sandbox, list_sandboxes, make_template, open_client
from osiris_sql.launchers.e2b.arrival import put_in_place
from osiris_sql.launchers.e2b.cargo import connections_variables, pack
from osiris_sql.launchers.e2b.checkup import report_machine
from osiris_sql.launchers.e2b.courier import Courier, Ended
from osiris_sql.launchers.e2b.follow import Begin, Follower
from osiris_sql.launchers.e2b.onboard import prepare_plan, sizes_here
from osiris_sql.launchers.e2b.options import Options, read_options, template_of
from osiris_sql.launchers.e2b.record import Record, forget, read_record, write_record
from osiris_sql.launchers.e2b.remote import Remote
from osiris_sql.launchers.e2b.room import warn_of_size
from osiris_sql.protocols import Sink
from osiris_sql.run.connections import check_environ
from osiris_sql.run.execute import hash_plan
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.parcel import refuse_moved_on, take_built
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.plan import Plan


class E2BLauncher:
    """Runs `osiris_sql.worker` in a sandbox of E2B."""

    name = "e2b"

    def prepare(self, plan: Plan, root: Path) -> Plan:
        """Return the plan with what of the warehouse goes along; see `Plan.carried`."""
        return prepare_plan(plan, root)

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
        options = _open(environ)
        check_environ(plan.connections, environ)
        cargo = pack(plan, root, run_id, environ, fail_fast=fail_fast, fetch=options.fetch)
        given = _given(plan, environ)
        here = sizes_here(plan, root)
        remote = Remote(options)
        folder = _run_folder(root, run_id)

        def begin(courier: Courier) -> None:
            metadata = {"project": plan.project, "plan_sha12": hash_plan(plan)[:12], "origin": _origin(root)}
            remote.create(run_id, metadata)
            record = Record(
                run=run_id,
                sandbox=remote.id,
                returns=cargo.returns,
                shipped=cargo.shipped,
                fetch=options.fetch,
            )
            _say(f"sandbox {remote.id}, run {run_id}")
            # Before anything runs there, so that another client can attach.
            write_record(folder, record)
            courier.stop_if_cancelled()
            if plan.carried:
                size = sum(plan.carried.values()) >> 20
                _say(f"carried there: {len(plan.carried)} relations, about {size} MB")
            for warning in warn_of_size(plan, remote.describe(), cargo.weight, here):
                _say(f"warning: {warning}")
            remote.upload(cargo)
            rmtree(cargo.parcels)
            courier.stop_if_cancelled()
            remote.start(cargo, given)

        follower = Follower(plan, run_id, sinks, given.values())
        code = _follow(follower, remote, begin, plan, root, folder, options, detach=options.detach)
        if follower.left_running:
            _say(f"it goes on there: osiris-sql runs attach {run_id}")
        elif not options.fetch and plan.command == "build":
            _say("the warehouse here is as it was: --fetch brings the built tables back")
        return code

    def attach(
        self,
        plan: Plan,
        root: Path,
        run_id: str,
        environ: Mapping[str, str],
        sinks: Sequence[Sink],
        known: int,
    ) -> int:
        """Follow a run whose client is gone from its event number `known` on; return the exit code.

        Raises OsirisError if there is no sandbox to follow.
        """
        options, folder = _open(environ), _run_folder(root, run_id)
        record = read_record(folder)
        if record is None:
            raise ProjectError(
                Diagnostic(
                    rule="nothing-to-attach",
                    message=f"no sandbox is known to run {run_id}",
                    why="it ended, or it did not run in a sandbox",
                    fix="osiris-sql runs",
                )
            )
        remote = Remote(options)

        def begin(courier: Courier) -> None:
            remote.connect(record.sandbox)
            if not remote.has_begun():
                raise failure.lost("the run never began in it")

        follower = Follower(plan, run_id, sinks, _given(plan, environ).values(), known=known)
        return _follow(follower, remote, begin, plan, root, folder, options, detach=False)

    def collect(self, root: Path, environ: Mapping[str, str], *, every: bool = False) -> list[str]:
        """Kill the sandboxes that this project left behind; return their ids.

        Those whose run can still be attached live on, unless `every` is said.
        """
        client = open_client(_open(environ))
        killed = []
        for sandbox, run_id in list_sandboxes(client, {"origin": _origin(root)}).items():
            folder = root / ".osiris" / "runs" / run_id
            if every or read_record(folder) is None:
                end_sandbox(client, sandbox)
                forget(folder)
                killed.append(sandbox)
        return sorted(killed)

    def make_template(self, environ: Mapping[str, str]) -> tuple[str, bool]:
        """Return the name of the template, and whether it was built now."""
        options = _open(environ)
        return template_of(options), make_template(open_client(options), options)


def _follow(
    follower: Follower,
    remote: Remote,
    begin: Begin,
    plan: Plan,
    root: Path,
    folder: Path,
    options: Options,
    *,
    detach: bool,
) -> int:
    try:
        return follower.follow(
            remote,
            begin,
            folder,
            lease=options.lease,
            detach=detach,
            arrive=lambda ended: _arrive(plan, root, folder, ended),
        )
    finally:
        # Without an id nothing was made, or what was made can still be found later.
        if remote.id and not follower.left_running:
            remote.kill()
            forget(folder)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _open(environ: Mapping[str, str]) -> Options:
    options = read_options(environ)
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
    return options


def _given(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    names = sorted(connections_variables(plan.connections))
    return {name: environ[name] for name in names if name in environ}


def _run_folder(root: Path, run_id: str) -> Path:
    folder = root / ".osiris" / "runs" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _origin(root: Path) -> str:
    """Tell this project folder of this person on this machine from all others, without naming it."""
    text = "\n".join((socket.gethostname(), getpass.getuser(), str(root.resolve())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _arrive(plan: Plan, root: Path, folder: Path, ended: Ended) -> None:
    if machine := ended.status.get("machine"):
        for line in report_machine(machine):
            _say(line)
    artifacts, record = ended.status.get("artifacts"), read_record(folder)
    if not artifacts or record is None:
        return
    if ended.built is None:
        put_in_place(ended.archive, artifacts, record, root)
        return
    with hold_warehouse(root / plan.warehouse, record.run):
        refuse_moved_on(plan, root, ended.built)
        put_in_place(ended.archive, artifacts, record, root)
        take_built(plan, root, ended.built)
    ended.built.unlink()
