"""What a delivery would change, computed by DuckDB: old rows and new ones laid side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from osiris_sql.targets._modes import deletion_refusals
from osiris_sql.targets._rows import count_changes, differs, same_key
from osiris_sql.types.difference import ChangeKind, Difference, RowChange
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier

if TYPE_CHECKING:
    import duckdb


def find_difference(
    cursor: duckdb.DuckDBPyConnection, publication: Publish, old: str, new: str, samples: int
) -> Difference:
    """Return what the mode would change; `old` and `new` are relations as they stand in FROM."""
    changes, before, sent = count_changes(cursor, publication, old, new)
    found = [
        change
        for kind, rows in _rows_of_each_kind(publication, old, new).items()
        for change in _samples(cursor, publication, kind, rows, samples)
    ]
    return Difference(
        inserted=changes.inserted,
        updated=changes.updated,
        deleted=changes.deleted,
        unchanged=changes.unchanged,
        total_before=before,
        samples=tuple(found),
        refusals=tuple(
            deletion_refusals(publication, changes.deleted, before, sent) if publication.key else ()
        ),
    )


def _rows_of_each_kind(publication: Publish, old: str, new: str) -> dict[ChangeKind, str]:
    """FROM and WHERE of the rows that the mode inserts, updates and deletes; `o` is old, `s` is sent."""
    removes = publication.mode in ("replace", "sync")
    if not publication.key:
        every: dict[ChangeKind, str] = {"insert": f"{new} AS s"}
        return {**every, "delete": f"{old} AS o"} if removes else every
    same = same_key(publication.key, "o", "s")
    found: dict[ChangeKind, str] = {
        "insert": f"{new} AS s WHERE NOT EXISTS (SELECT 1 FROM {old} AS o WHERE {same})"
    }
    if publication.mode != "append":
        found["update"] = f"{new} AS s JOIN {old} AS o ON {same} WHERE {differs(publication, 'o', 's')}"
    if removes:
        found["delete"] = f"{old} AS o WHERE NOT EXISTS (SELECT 1 FROM {new} AS s WHERE {same})"
    return found


def _samples(
    cursor: duckdb.DuckDBPyConnection, publication: Publish, kind: ChangeKind, rows: str, limit: int
) -> Iterator[RowChange]:
    names = [column.name for column in publication.columns]
    sides = {"insert": "s", "update": "so", "delete": "o"}[kind]
    texts = ", ".join(f"{side}.{quote_identifier(name)}::VARCHAR" for side in sides for name in names)
    order = ", ".join(f"{sides[0]}.{quote_identifier(name)}" for name in publication.key) or "ALL"
    found = cursor.execute(f"SELECT {texts} FROM {rows} ORDER BY {order} LIMIT {int(limit)}").fetchall()
    return row_changes(kind, names, publication.key, found)


def row_changes(
    kind: ChangeKind, names: Sequence[str], key: Sequence[str], rows: Iterable[tuple[str | None, ...]]
) -> Iterator[RowChange]:
    """Yield rows of one kind; each has the sent values, then those of the table, as far as it has them."""
    for row in rows:
        after = dict(zip(names, row, strict=False)) if kind != "delete" else {}
        before = dict(zip(names, row[-len(names) :], strict=True)) if kind != "insert" else {}
        keyed = {name: (after or before)[name] for name in key}
        if kind == "update":
            differ = [name for name in names if before[name] != after[name]]
            before, after = ({name: side[name] for name in differ} for side in (before, after))
        yield RowChange(kind=kind, key=keyed, before=before, after=after)
