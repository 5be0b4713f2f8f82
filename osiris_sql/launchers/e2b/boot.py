"""The first thing that runs in the sandbox, with the standard library alone.

It checks every shipped file and the versions before it imports anything, then runs the worker, and
leaves `status.json` as the last word. One line of JSON comes through standard input: the sha256 of
`manifest.json`, and the variables that the plan's connections need.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import select
import signal
import sys
import tarfile
import time
import traceback
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

WAIT_FOR_ORDER = 60
REFUSED = 3
ABSENT = "not installed"


def main() -> int:
    """Check, run, and return the exit code."""
    os.chdir(Path(__file__).parent)
    Path("run/worker.pid").write_text(str(os.getpid()))
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    try:
        order = _read_order()
        manifest, wrong = _check(order["manifest_sha256"])
        if wrong:
            return _leave({"exit_code": REFUSED, "refused": wrong})
        skew = time.time() - order["now"]
        sys.path.insert(0, str(Path("code.zip").resolve()))
        exit_code = _run_worker(manifest, order["environ"])
        machine = _describe(manifest["needs"], skew) if manifest["describe"] else {}
    except KeyboardInterrupt:
        return _leave({"exit_code": 130})
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    return _leave({"exit_code": exit_code, "artifacts": _pack_artifacts(manifest), "machine": machine})


def _read_order() -> dict[str, Any]:
    if not select.select([sys.stdin], [], [], WAIT_FOR_ORDER)[0]:
        raise TimeoutError("nothing came through standard input")
    order: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    return order


def _check(manifest_sha256: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return the manifest, and everything that is not here as it is there."""
    found = _sha256(Path("manifest.json"))
    if found != manifest_sha256:
        return {}, [{"what": "manifest.json", "there": manifest_sha256, "here": found}]
    manifest: dict[str, Any] = json.loads(Path("manifest.json").read_bytes())
    pairs = [(path, sha256, _sha256(Path(path))) for path, sha256 in manifest["files"].items()]
    pairs.append(("Python", manifest["python"], ".".join(map(str, sys.version_info[:2]))))
    pairs += [(name, number, _version(name)) for name, number in manifest["packages"].items()]
    absent = [name for name in manifest["needs"] if _version(name) == ABSENT]
    pairs += [(name, "installed", ABSENT) for name in absent]
    return manifest, [{"what": what, "there": a, "here": b} for what, a, b in pairs if a != b]


def _describe(packages: list[str], skew: float) -> dict[str, dict[str, str]]:
    """Return what this machine is; `skew` is how far its clock was from the client's."""
    from osiris_sql.run.machine import describe_machine, describe_packages, self_test

    return {
        "machine": describe_machine(Path()),
        "packages": describe_packages(packages),
        "clock": {"skew": f"{skew:.3f}"},
        "self test": {"rows": self_test()},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ABSENT


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _run_worker(manifest: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    from osiris_sql import worker
    from osiris_sql.support.secrets import Redactor

    sys.stdin = io.StringIO(json.dumps(environ) + "\n")
    sys.stdout = Path("run/events.jsonl").open("x", encoding="ascii")  # noqa: SIM115 - until the process ends
    try:
        return worker.main(manifest["arguments"])
    except Exception:  # noqa: BLE001 - a bug must reach the log, without the secrets in it
        sys.stderr.write(Redactor(environ.values())(traceback.format_exc()))
        return 1


def _pack_artifacts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Put what the run wrote at the places that return into one archive; say what it is."""
    project, shipped = Path("project"), manifest["files"]
    now = {str(path): _sha256(path) for place in manifest["returns"] for path in _files(project / place)}
    changed = sorted(path for path, sha256 in now.items() if shipped.get(path) != sha256)
    places = tuple(f"project/{place}" for place in manifest["returns"])
    removed = sorted(path for path in shipped if path.startswith(places) and path not in now)
    archive = Path("run/artifacts.tar")
    with tarfile.open(archive, "w") as tar:
        for path in changed:
            tar.add(path, arcname=Path(path).relative_to(project).as_posix(), recursive=False)
    return {
        "sha256": _sha256(archive),
        "built": _sha256(built) if (built := Path("run/built.duckdb")).is_file() else "",
        "files": {Path(path).relative_to(project).as_posix(): now[path] for path in changed},
        "removed": [Path(path).relative_to(project).as_posix() for path in removed],
    }


def _files(place: Path) -> Iterator[Path]:
    """A place is a file with its write-ahead log beside it, or a folder."""
    if place.is_dir():
        yield from (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    else:
        yield from (path for path in (place, place.with_name(place.name + ".wal")) if path.is_file())


def _leave(status: dict[str, Any]) -> int:
    part = Path("run/status.json.part")
    part.write_text(json.dumps(status))
    part.replace("run/status.json")
    return int(status["exit_code"])


if __name__ == "__main__":
    sys.exit(main())
