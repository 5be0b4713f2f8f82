"""Two relations of DuckDB compared by key: what the targets that compute with DuckDB share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris_sql.support.one_line import one_line
from osiris_sql.targets._modes import check_deletions, refusal
from osiris_sql.types.diagnostic import Diagnostic, StepError, UnreachableError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a delivery does to a table, and how many rows it has afterwards."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    total_after: int = 0


def names(columns: Sequence[str], side: str = "") -> str:
    """Return quoted names in a row, each with `side.` before it."""
    return ", ".join(f"{side}{quote_identifier(name)}" for name in columns)


def same_key(key: Sequence[str], left: str, right: str) -> str:
    """Return the condition that two rows have the same key."""
    return " AND ".join(f"{left}.{quote_identifier(k)} = {right}.{quote_identifier(k)}" for k in key)


def differs(publication: Publish, left: str, right: str) -> str:
    """Return the condition that two rows of one key differ in another column."""
    rest = [c.name for c in publication.columns if c.name not in publication.key]
    pairs = (f"{left}.{quote_identifier(n)} IS DISTINCT FROM {right}.{quote_identifier(n)}" for n in rest)
    return " OR ".join(pairs) or "false"


def number(cursor: duckdb.DuckDBPyConnection, sql: str) -> int:
    """Return the one number that a query yields."""
    row = cursor.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def foresee(cursor: duckdb.DuckDBPyConnection, publication: Publish, old: str, new: str) -> Changes:
    """Return what the mode will change, counted before anything is written; raises StepError by its guards.

    `old` and `new` are relations as they stand in FROM.
    """
    changes, before, sent = count_changes(cursor, publication, old, new)
    if publication.key:
        check_deletions(publication, changes.deleted, before, sent)
    return changes


def count_changes(
    cursor: duckdb.DuckDBPyConnection, publication: Publish, old: str, new: str
) -> tuple[Changes, int, int]:
    """Return what the mode would change, the rows there before, and the rows sent."""
    before, sent = (
        number(cursor, f"SELECT count(*) FROM {old}"),
        number(cursor, f"SELECT count(*) FROM {new}"),
    )
    removes = publication.mode in ("replace", "sync")
    if not publication.key:
        deleted = before if removes else 0
        return Changes(inserted=sent, deleted=deleted, total_after=before - deleted + sent), before, sent
    _check_unique(cursor, publication, old)
    changed, equal = _matched(cursor, publication, old, new)
    fresh = sent - changed - equal
    if publication.mode == "append":
        return Changes(inserted=fresh, unchanged=changed + equal, total_after=before + fresh), before, sent
    gone = before - changed - equal if removes else 0
    total = before + fresh - gone
    made = Changes(inserted=fresh, updated=changed, unchanged=equal, deleted=gone, total_after=total)
    return made, before, sent


def _matched(cursor: duckdb.DuckDBPyConnection, publication: Publish, old: str, new: str) -> tuple[int, int]:
    row = cursor.execute(
        f"SELECT count(*) FILTER (WHERE {differs(publication, 'o', 's')}), count(*)"
        f" FROM {new} AS s JOIN {old} AS o ON {same_key(publication.key, 'o', 's')}"
    ).fetchone()
    assert row is not None
    return row[0], row[1] - row[0]


def _check_unique(cursor: duckdb.DuckDBPyConnection, publication: Publish, old: str) -> None:
    key = names(publication.key)
    repeated = number(
        cursor, f"SELECT count(*) FROM (SELECT 1 FROM {old} GROUP BY {key} HAVING count(*) > 1)"
    )
    if repeated:
        raise StepError(
            refusal(
                publication,
                "target-key-not-unique",
                f"{repeated} keys occur more than once in the rows already there; nothing was changed",
                why=f"the key is ({', '.join(publication.key)})",
                fix="publish once with mode replace and no key, or remove the duplicates there",
            )
        )


def missing_rows(cursor: duckdb.DuckDBPyConnection, publication: Publish, table: str, new: str) -> int:
    """Return how many delivered rows a table lacks: by key for append, by every column otherwise."""
    equal = same_key(publication.key, "t", "s")
    if publication.mode != "append":
        equal += f" AND NOT ({differs(publication, 't', 's')})"
    return number(
        cursor, f"SELECT count(*) FROM {new} AS s WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {equal})"
    )


def explain_failure(error: Exception, publication: Publish, where: str) -> StepError | UnreachableError:
    """Return what a DuckDB or disk error means to the person; `where` names the file."""
    text = one_line(error)
    if "lock on file" in text or "already open" in text or "different configuration" in text:
        return UnreachableError(locked(where, text))
    for words, rule, fix in _REASONS:
        if words in text:
            return StepError(refusal(publication, rule, f"{where} was not changed", why=text, fix=fix))
    return StepError(refusal(publication, "target-error", f"{where} was not changed", why=text))


def locked(where: str, text: str) -> Diagnostic:
    """Return the diagnostic of a file that another process holds open."""
    return Diagnostic(
        rule="file-in-use",
        message=f"{where} is open in another process",
        why=text,
        fix="close it there (a DuckDB shell, a notebook, another run), then try again",
    )


_REASONS = (
    ("No space left", "disk-full", "free some disk space, then publish again"),
    ("Permission denied", "no-permission", "make the folder writable for this user"),
    ("Duplicate key", "unique-violation", "make the rows unique, or compare key: with the table's keys"),
    ("NOT NULL constraint", "null-violation", "deliver the column, or relax it"),
    ("CHECK constraint", "check-violation", "correct the rows in the model"),
    ("foreign key constraint", "foreign-key-violation", "publish the other table first"),
    ("not a valid DuckDB", "not-a-database", "name a file that DuckDB wrote, or another path"),
)
