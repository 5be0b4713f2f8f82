"""What stood in a warehouse when it was last let go of: as long as its file is the same, nobody has to
open it to know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.engines.duckdb.mirror import mirror_path, read_mirror

if TYPE_CHECKING:
    from osiris_sql.engines.duckdb.catalog import Catalog, Kind, Place
    from osiris_sql.types.observed import StepState

Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Rest:
    """The relations of a warehouse, and what it remembers by node."""

    kinds: dict[Place, Kind]
    state: dict[str, StepState]


def note_rest(warehouse: Path, catalog: Catalog) -> None:
    """Keep what a catalog says of a warehouse whose file was closed a moment ago, and after its mirror."""
    stamp = _stamp(warehouse)
    if stamp is None:
        _path(warehouse).unlink(missing_ok=True)
        return
    kinds = [[*place, kind] for place, kind in sorted(catalog.kinds.items())]
    noted = {"stamp": stamp, "kinds": kinds}
    fresh = _path(warehouse).with_suffix(".new")
    fresh.write_text(json.dumps(noted))
    fresh.replace(_path(warehouse))


def recall_rest(warehouse: Path) -> Rest | None:
    """Return what stands in a warehouse, or None if its file has to be asked."""
    stamp = _stamp(warehouse)
    return _read(warehouse, stamp) if stamp else None


# A build looks once to plan and once to run.
@lru_cache(maxsize=1)
def _read(warehouse: Path, stamp: Stamp) -> Rest | None:
    try:
        noted = json.loads(_path(warehouse).read_text())
    except (OSError, ValueError):
        return None
    if tuple(noted["stamp"]) != stamp:
        return None
    return Rest(
        kinds={(schema, name): kind for schema, name, kind in noted["kinds"]},
        state=dict(sorted(read_mirror(warehouse).items())),
    )


def _stamp(warehouse: Path) -> Stamp | None:
    """What any write to the warehouse or its mirror changes; None while some of it is only in the log."""
    if Path(f"{warehouse}.wal").exists():
        return None
    try:
        found = [warehouse.stat(), mirror_path(warehouse).stat()]
    except FileNotFoundError:
        return None
    return tuple(n for s in found for n in (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns))


def _path(warehouse: Path) -> Path:
    return warehouse.with_suffix(".rest.json")
