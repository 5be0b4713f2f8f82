"""The ways in which a model runs again: what is no part of its question, and may be no part of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Order = Literal["stored", "reversed", "shuffled", "shuffled again"]

ROW_GROUP = 122_880
"""Rows of a row group where nothing else is asked: DuckDB's own number."""

VECTOR = 2_048
"""Rows of a vector, a size that is set when DuckDB is compiled, and the least of a row group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One way to run a model.

    `order` is how the rows of its inputs are stored, `row_group` how many a parallel scan takes at once.
    `thinned` stores each row so many times and deletes all but one, so that a scan gives vectors with
    that share of their rows: the nearest thing to another vector size in a DuckDB as it is shipped.
    """

    name: str
    threads: int | None = None
    order: Order = "stored"
    row_group: int = ROW_GROUP
    thinned: int = 1
    insertion_order: bool = True
    settings: tuple[str, ...] = ()


AS_BUILT = Trial(name="as built")

TRIALS = (
    Trial(name="one thread", threads=1),
    Trial(
        name="eight threads, rows shuffled, row groups of 2,048",
        threads=8,
        order="shuffled",
        row_group=VECTOR,
    ),
    Trial(
        name="four threads, insertion order not kept",
        threads=4,
        order="shuffled again",
        row_group=2 * VECTOR,
        insertion_order=False,
    ),
    Trial(
        name="three threads, a third of the rows to a vector",
        threads=3,
        order="shuffled",
        row_group=3 * VECTOR,
        thinned=3,
        settings=("PRAGMA verify_parallelism",),
    ),
    Trial(
        name="two threads, rows reversed, out of core, joins built as written",
        threads=2,
        order="reversed",
        row_group=VECTOR,
        settings=(
            "SET debug_force_external = true",
            "SET disabled_optimizers = 'build_side_probe_side'",
        ),
    ),
)
