"""Keys of rows over REST: read in pages by key, and named in filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from osiris_sql.targets.supabase.rest.wire import Rest
from osiris_sql.types.plan import Publish

Key = tuple[str, ...]
_PAGE = 1000


def key_of(publication: Publish, row: Mapping[str, Any]) -> Key:
    """Return the key of a row as texts."""
    return tuple(_text(row[name]) for name in publication.key)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def fetch_keys(rest: Rest, publication: Publish) -> Iterator[Key]:
    """Yield the keys of all rows in the table."""
    for row in fetch_rows(rest, publication, publication.key):
        yield key_of(publication, row)


def fetch_rows(rest: Rest, publication: Publish, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield these columns of all rows in the table; pages go on after the last key, not at a number."""
    parameters = {
        "select": ",".join(map(quoted, columns)),
        "order": ",".join(f"{quoted(name)}.asc" for name in publication.key),
        "limit": str(_PAGE),
    }
    while True:
        page = rest.ask("GET", table_path(publication), parameters=parameters).data
        yield from page
        # A server may give fewer rows than were asked for: only an empty page is the end.
        if not page:
            return
        parameters["or"] = f"({','.join(_after(publication, key_of(publication, page[-1])))})"


def _after(publication: Publish, last: Key) -> Iterator[str]:
    for at in range(len(last)):
        parts = [_is(name, "eq", value) for name, value in zip(publication.key[:at], last, strict=False)]
        parts.append(_is(publication.key[at], "gt", last[at]))
        yield _all(parts)


def or_filter(publication: Publish, keys: Sequence[Key]) -> str:
    """Return the filter that these keys fit, and no others."""
    rows = (_all([_is(name, "eq", v) for name, v in zip(publication.key, key, strict=True)]) for key in keys)
    return f"({','.join(rows)})"


def _all(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"and({','.join(parts)})"


def _is(name: str, operator: str, value: str) -> str:
    return f"{quoted(name)}.{operator}.{quoted(value)}"


def quoted(text: str) -> str:
    """Return a name or value in the quotes that PostgREST reads."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table_path(publication: Publish) -> str:
    """Return the path of the publication's table."""
    return f"/{quote(publication.table, safe='')}"
