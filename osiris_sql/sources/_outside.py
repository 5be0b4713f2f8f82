"""What is said of tables that a snapshot does not hold still."""

from __future__ import annotations

from collections.abc import Sequence

from osiris_sql.types.diagnostic import Diagnostic


def outside_snapshot(tables: Sequence[str], why: str, fix: str) -> tuple[Diagnostic, ...]:
    """Return a warning that names the tables, if there are any."""
    if not tables:
        return ()
    message = f"no snapshot holds these tables still: {', '.join(tables)}"
    return (Diagnostic(rule="outside-snapshot", severity="warning", message=message, why=why, fix=fix),)
