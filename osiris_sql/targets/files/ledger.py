"""What was delivered into a file, in a small JSON file beside it.

An entry counts only if the data file still has the sha256 that it recorded: so the entry can be written
before the data file is replaced, and a file that somebody edited is published anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from osiris_sql.protocols import Load
from osiris_sql.targets._rows import Changes

CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One delivery: it turned a file of sha256 `previous` ("" if there was none) into one of `sha256`."""

    load_id: str
    run_id: str
    mode: str
    fingerprint: str
    rows_in: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    total_after: int
    sha256: str
    previous: str


def sidecar(data: Path) -> Path:
    """Return where the ledger of a data file is."""
    return data.with_name(data.name + ".osiris.json")


def hash_file(path: Path) -> str:
    """Return a file's sha256, "" if there is no file."""
    if not path.exists():
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def read_entries(data: Path, current: str) -> list[Entry]:
    """Return the deliveries whose rows are in the file now, the latest first; `current` is its sha256."""
    if not current or not sidecar(data).exists():
        return []
    entries = [Entry(**entry) for entry in json.loads(sidecar(data).read_bytes())["deliveries"]]
    found, wanted = [], current
    for entry in reversed(entries):
        if entry.sha256 == wanted:
            found.append(entry)
            wanted = entry.previous
            if entry.mode in ("replace", "sync"):
                break
    return found


def latest_load(entries: list[Entry], series: str) -> str | None:
    """Return the last load of the series, if there is one and any is in the file, else of any."""
    of_series = (e.load_id for e in entries if series and e.load_id.startswith(f"{series}."))
    return next(of_series, entries[0].load_id if entries else None)


def write_entries(data: Path, entries: list[Entry]) -> None:
    """Replace the ledger of a data file, latest entry first as given, atomically and durably."""
    document = {"version": 1, "deliveries": [asdict(entry) for entry in reversed(entries)]}
    place = sidecar(data)
    new = place.with_name(f".{place.name}.osiris-new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(place)


def make_entry(load: Load, mode: str, changes: Changes, sha256: str, previous: str) -> Entry:
    """Return the entry of a delivery."""
    return Entry(
        load_id=load.load_id,
        run_id=load.run_id,
        mode=mode,
        fingerprint=f"{load.data.algorithm}:{load.data.digest}",
        rows_in=load.rows,
        sha256=sha256,
        previous=previous,
        **asdict(changes),
    )


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Wait until no other process delivers into the folder; the operating system frees a dead one's hold."""
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)
