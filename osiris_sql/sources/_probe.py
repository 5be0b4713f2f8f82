"""What a probe of a table must come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from osiris_sql.types.diagnostic import Diagnostic, StepError


def one_row(rows: Sequence[tuple[Any, ...]], table: str) -> tuple[Any, ...] | StepError:
    """Return the only row that a probe gave, or what is wrong with it."""
    if len(rows) == 1:
        return tuple(rows[0])
    return StepError(
        Diagnostic(
            rule="probe-of-many-rows",
            message=f"the probe of table {table} gives {len(rows) or 'no'} rows{' or more' if rows else ''}",
            why="it is compared as one row",
            fix="aggregate: probe: count(*), max(updated_at)",
        )
    )
