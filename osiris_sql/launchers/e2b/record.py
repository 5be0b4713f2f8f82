"""What a client must remember of a sandbox, so that another one can go on in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osiris_sql.support import wire

FILE = "remote.json"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A run in a sandbox. `returns` are the places in the project that come back, `shipped` the sha256 of
    what was there; with `fetch` what was built comes back into the warehouse."""

    run: str
    sandbox: str
    returns: tuple[str, ...]
    shipped: Mapping[str, str]
    fetch: bool = False


def write_record(folder: Path, record: Record) -> None:
    """Write the record of a run, whole or not at all."""
    part = folder / f"{FILE}.part"
    part.write_text(wire.to_document(record))
    part.replace(folder / FILE)


def read_record(folder: Path) -> Record | None:
    """Return the record of a run; None if no sandbox is known to run it."""
    try:
        return wire.from_json(Record, (folder / FILE).read_bytes())
    except FileNotFoundError:
        return None


def forget(folder: Path) -> None:
    """Remove the record of a run: its sandbox is gone."""
    (folder / FILE).unlink(missing_ok=True)
