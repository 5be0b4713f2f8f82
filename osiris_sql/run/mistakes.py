"""Several mistakes, told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from osiris_sql.types.diagnostic import Diagnostic, Location, OsirisError


def placed(error: OsirisError, location: Location) -> OsirisError:
    """Return the error with a place, where it has no closer one."""
    return type(error)(*(d if d.location else replace(d, location=location) for d in error.diagnostics))


def raise_all(failures: Sequence[OsirisError]) -> None:
    """Raise one error of the gravest class that has every diagnostic once; nothing where there is none."""
    if not failures:
        return
    unique: dict[Diagnostic, None] = {d: None for failure in failures for d in failure.diagnostics}
    worst = max(failures, key=lambda failure: failure.exit_code)
    raise type(worst)(*unique)
