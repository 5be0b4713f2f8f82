"""Whether a plan fits into a sandbox's memory and disk, as far as that can be told before it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from osiris_sql.types.plan import Plan

UNITS = ("", "K", "M", "G", "T")
SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B\s*$", re.IGNORECASE)
# Without a limit DuckDB takes 80 % of the memory; the rest must hold Python and the drivers.
LEAST_MB = 1024


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a sandbox has: megabytes of memory, bytes of free disk."""

    memory_mb: int
    free_disk: int


def warn_of_size(
    plan: Plan, machine: Machine, shipped: Mapping[str, int], here: Mapping[str, int]
) -> Iterator[str]:
    """Yield a warning for each thing that is too big.

    `shipped` are the bytes of the files that go there, `here` those that the relations of the plan had when
    they were last built on this machine.
    """
    memory = machine.memory_mb << 20
    limit = _read_size(plan.engine_settings.get("memory_limit", ""))
    if limit and limit > memory:
        yield f"memory_limit is {_mb(limit)}, the sandbox has {_mb(memory)}: it may be killed for it"
    elif not limit and machine.memory_mb < LEAST_MB:
        yield f"the sandbox has {_mb(memory)} of memory, and memory_limit is not set: it may be killed"
    for name, size in sorted({**shipped, **here}.items()):
        if size > (limit or memory):
            yield f"{name} has {_mb(size)}, more than the memory of {_mb(limit or memory)}: it will be slow"
    made = sum(shipped.values()) + sum(here.values())
    if made > machine.free_disk:
        yield f"the plan needs about {_mb(made)} of disk, the sandbox has {_mb(machine.free_disk)} free"


def _read_size(text: str) -> int:
    found = SIZE.match(text)
    if not found:
        return 0
    number, unit, binary = float(found[1]), found[2].upper(), found[3]
    exponent = UNITS.index(unit)
    return int(number * (1024**exponent if binary else 1000**exponent))


def _mb(size: int) -> str:
    return f"{size >> 20} MB"
