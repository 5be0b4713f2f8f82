"""Which row a plain table refused: less and less of the request is sent again, so that none of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from osiris_sql.targets.supabase.failure import OF_A_ROW
from osiris_sql.targets.supabase.rest.wire import RestError

T = TypeVar("T")
# The API takes a write back that changes more rows than the request allows; so does PostgreSQL, if a key
# occurs twice in it.
SINGLE = "application/vnd.pgrst.object+json"
NONE = "handling=strict,max-affected=0"
_TAKEN_BACK = {"PGRST116", "PGRST124", "21000"}


def first_refused(rows: Sequence[T], error: RestError, send: Callable[[Sequence[T]], object]) -> T | None:
    """Return the row that ends the shortest beginning which is refused with the same error, or None if that
    can't be told; `send` must ask for a request that is taken back."""
    if not error.code.startswith(OF_A_ROW):
        return None
    if len(rows) == 1:
        return rows[0]

    def refuses(some: Sequence[T]) -> bool:
        return _is_refused(some, error, send)

    passed, refused = 0, len(rows)
    try:
        while refused > max(passed + 1, 2):
            middle = max((passed + refused) // 2, 2)
            passed, refused = (passed, middle) if refuses(rows[:middle]) else (middle, refused)
        return rows[refused - 1] if passed else _of_two(rows, refuses)
    except (RestError, LookupError):
        return None


def _of_two(rows: Sequence[T], refuses: Callable[[Sequence[T]], bool]) -> T | None:
    """Which of the first two rows is refused: by itself, or else beside a third one."""
    for row in rows[:2]:
        # Only the key that occurs twice takes it back, before anything looks at the rows that were written.
        if refuses([row, row]):
            return row
    for third in rows[2:6]:
        first, second = (refuses([row, third]) for row in rows[:2])
        if first != second:
            return rows[0] if first else rows[1]
    return None


def _is_refused(rows: Sequence[T], error: RestError, send: Callable[[Sequence[T]], object]) -> bool:
    try:
        send(rows)
    except RestError as found:
        if found.code not in {error.code, *_TAKEN_BACK}:
            raise
        return found.code == error.code
    raise LookupError("nothing of the request was changed, or it was kept")
