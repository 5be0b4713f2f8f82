"""What goes into the sandbox: code, plan, files and what is to come back, each with its sha256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from osiris_sql.launchers.e2b.packages import needed, python_version
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.parcel import write_deferred, write_parcel
from osiris_sql.support import wire
from osiris_sql.support.package import package_files, zip_package
from osiris_sql.support.secrets import resolve
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, StepError
from osiris_sql.types.plan import Extract, Plan, PlannedConnection, Probe

# How much of target files, and of another environment's rows, a run may carry into a sandbox.
CARRY_LIMIT = 1 << 30
BOOT = "osiris_sql/launchers/e2b/boot.py"


@dataclass(frozen=True, kw_only=True)
class Cargo:
    """`small` are bytes by path, `big` files of this machine by path; `returns` are places in the project.

    Paths are those of the sandbox, relative to the launcher's folder there. `parcels` is the folder, made
    for this run, of what goes along of warehouses.
    """

    small: Mapping[str, bytes]
    big: Mapping[str, Path]
    manifest_sha256: str
    boot_sha256: str
    returns: tuple[str, ...]
    shipped: Mapping[str, str]
    parcels: Path

    @property
    def weight(self) -> dict[str, int]:
        """The bytes of each file of the project that goes along."""
        return {name.removeprefix("project/"): file.stat().st_size for name, file in self.big.items()}


def pack(
    plan: Plan, root: Path, run_id: str, environ: Mapping[str, str], *, fail_fast: bool, fetch: bool
) -> Cargo:
    """Return what a run needs; raises ProjectError or StepError if it can't be carried."""
    targets = list(_target_places(plan, environ))
    carried = [file for place in targets for file in _files(root / place)]
    _refuse_too_big(carried, "target files", ", or publish to a server instead of a file")
    big = {f"project/{path.relative_to(root).as_posix()}": path for path in carried}
    big |= {f"project/{name}": root / name for name in _source_files(plan, root, environ)}
    parcels = root / ".osiris" / "runs" / run_id / "parcels"
    for place, parcel in _pack_warehouses(plan, root, run_id, parcels):
        big[f"project/{place}"] = parcel
    shipped = {path: _sha256(file) for path, file in big.items()}
    _refuse_moved(plan, shipped)
    arguments = ["plan.json", "--root", "project", "--run-id", run_id, "--launcher", "e2b"]
    arguments += ["--fail-fast"] if fail_fast else []
    arguments += ["--built", "run/built.duckdb"] if fetch else []
    small = {"plan.json": wire.to_document(plan).encode(), "code.zip": zip_package()}
    files = {**shipped, **{path: hashlib.sha256(data).hexdigest() for path, data in small.items()}}
    manifest = json.dumps(
        {
            "files": files,
            "python": python_version(),
            "packages": {"duckdb": version("duckdb")},
            "needs": sorted(needed()),
            "arguments": arguments,
            "returns": targets,
            "describe": plan.command == "doctor",
        },
        sort_keys=True,
    ).encode()
    boot = package_files()[BOOT]
    return Cargo(
        small={**small, "manifest.json": manifest, "boot.py": boot},
        big=big,
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        boot_sha256=hashlib.sha256(boot).hexdigest(),
        returns=tuple(targets),
        shipped={path.removeprefix("project/"): sha256 for path, sha256 in shipped.items()},
        parcels=parcels,
    )


def _pack_warehouses(plan: Plan, root: Path, run_id: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write what the plan carries of the warehouse, and all that it remembers, if there is any; and what it
    reads of another environment's."""
    folder.mkdir(parents=True, exist_ok=True)
    own, others = folder / "own.duckdb", folder / "deferred.duckdb"
    warehouse = root / plan.warehouse
    if plan.state is not None and warehouse.exists():
        with hold_warehouse(warehouse, run_id):
            if write_parcel(plan, root, own):
                yield plan.warehouse, own
    if plan.deferred:
        write_deferred(plan, root, others)
        _refuse_too_big([others], f"rows of {plan.deferred.env}")
        yield plan.deferred.warehouse, others


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _source_files(plan: Plan, root: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The files that extracts read; for a probe all that its connection reaches."""
    for step in plan.steps:
        if isinstance(step, Extract):
            for name in step.files:
                _refuse_outside(name, step.location.path, f"the source file {name}")
                yield name
    probed = {step.connection for step in plan.steps if isinstance(step, Probe) and step.role == "source"}
    for name, place in _places(plan, environ, "source"):
        if name in probed:
            yield from (file.relative_to(root).as_posix() for file in _files(root / place))


def _target_places(plan: Plan, environ: Mapping[str, str]) -> Iterator[str]:
    """Where targets that are files of the project write."""
    yield from (place for _, place in _places(plan, environ, "target"))


def _places(plan: Plan, environ: Mapping[str, str], role: str) -> Iterator[tuple[str, str]]:
    """The connections that are files of the project, as their option `path` says."""
    for connection in plan.connections:
        if connection.role == role and isinstance(connection.options.get("path"), str):
            place = str(resolve(connection.options["path"], environ))
            _refuse_outside(place, connection.location.path, f'{role} "{connection.name}" at {place}')
            yield connection.name, PurePosixPath(place).as_posix()


def _refuse_outside(place: str, written_in: str, what: str) -> None:
    pure = PurePosixPath(place)
    if pure.is_absolute() or ".." in pure.parts:
        raise ProjectError(
            Diagnostic(
                rule="outside-the-project",
                message=f"{what} is outside the project, so it can't go into a sandbox",
                why=f"{written_in} names it; only what is inside the project is carried",
                fix="move it into the project, or build on this machine: --on local",
            )
        )


def _files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from sorted(path for path in place.rglob("*") if path.is_file())
    else:
        yield from (path for path in (place, place.with_name(place.name + ".wal")) if path.is_file())


def _refuse_too_big(files: list[Path], what: str, instead: str = "") -> None:
    total = sum(path.stat().st_size for path in files)
    if total > CARRY_LIMIT:
        biggest = max(files, key=lambda path: path.stat().st_size)
        raise ProjectError(
            Diagnostic(
                rule="too-big-to-carry",
                message=f"{total >> 20} MB of {what} would go into the sandbox",
                why=f"the limit is {CARRY_LIMIT >> 20} MB; the biggest file is {biggest.name}",
                fix=f"build on this machine (--on local){instead}",
            )
        )


def _refuse_moved(plan: Plan, shipped: Mapping[str, str]) -> None:
    moved = [
        Diagnostic(
            rule="source-moved",
            message=f"{name} changed after it was planned",
            location=step.location,
            fix="run the build again when nobody writes it",
        )
        for step in plan.steps
        if isinstance(step, Extract)
        for name, sha256 in step.files.items()
        if shipped[f"project/{name}"] != sha256
    ]
    if moved:
        raise StepError(*moved)


def connections_variables(connections: tuple[PlannedConnection, ...]) -> set[str]:
    """Return the names of the variables that a plan's connections read."""
    return {name for connection in connections for name in connection.env_names}
