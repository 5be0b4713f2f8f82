"""One writer on a warehouse at a time; the second one is told who the first is."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osiris_sql.types.diagnostic import Diagnostic, UnreachableError


@contextmanager
def hold_warehouse(warehouse: Path, run_id: str) -> Iterator[None]:
    """Hold the warehouse's lock; raises UnreachableError that names the process and run holding it.

    The kernel lets go of the lock when the process dies, however it dies; the file stays.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with warehouse.with_suffix(".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(warehouse, read_holder(warehouse)) from None
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid(), "run": run_id}))
        file.flush()
        yield
        file.seek(0)
        file.truncate()


def read_holder(warehouse: Path) -> dict[str, object]:
    """Return what the lock file says of its holder: `pid` and `run`, or nothing."""
    try:
        found = json.loads(warehouse.with_suffix(".lock").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _in_use(warehouse: Path, holder: dict[str, object]) -> UnreachableError:
    who = f"process {holder['pid']}, run {holder['run']}" if holder else "another process"
    return UnreachableError(
        Diagnostic(
            rule="warehouse-in-use",
            message=f"the warehouse {warehouse.name} is in use by {who}",
            why="one run at a time may write a warehouse",
            fix="wait until it ends, or stop it",
        )
    )
