"""What is said of a table or column that a source does not have: with the nearest names."""

from __future__ import annotations

from collections.abc import Iterable

from osiris_sql.support.nearest import did_you_mean, nearest_names
from osiris_sql.types.diagnostic import Diagnostic, StepError


def unknown_table(where: str, name: str, there: Iterable[str]) -> StepError:
    """Return what to raise for a table that is not there, or that the user may not see."""
    names = list(there)
    near = nearest_names(name, names, 3)
    return StepError(
        Diagnostic(
            rule="unknown-table",
            message=f'{where} has no table "{name}" that may be read',
            why=f"it shows {len(names)} tables" + (f"; near: {', '.join(near)}" if near else ""),
            fix="check `identifier` and `schema` in sources.yml, the environment, and the user's rights",
        )
    )


def unknown_columns(
    table: str, missing: Iterable[str], there: Iterable[str], rights: str = "may be read"
) -> StepError:
    """Return what to raise for columns that are not there, all of them at once."""
    names = list(there)
    return StepError(*(_unknown_column(table, name, names, rights) for name in missing))


def _unknown_column(table: str, name: str, names: list[str], rights: str) -> Diagnostic:
    return Diagnostic(
        rule="unknown-column",
        message=f'table {table} has no column "{name}" that {rights}',
        why=f"it shows: {', '.join(names)}",
        fix=did_you_mean(name, names, also="if the table changed, run: osiris-sql discover"),
    )
