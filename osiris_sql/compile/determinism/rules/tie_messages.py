"""What the rules on ties have in common: how they say what was added."""

from __future__ import annotations

from osiris_sql.compile.determinism.calls import Parts
from osiris_sql.compile.determinism.splice import Span
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.facts import Scope


def joined(lists: list[Parts]) -> Parts:
    """Return lists of parts as one, with commas between them."""
    parts: Parts = []
    for one in lists:
        parts += [", "] * bool(parts)
        parts += one
    return parts


def added(subject: Subject, lists: list[Parts]) -> str:
    """Return the words that tell which columns were added to an order."""
    texts = ["".join(p if isinstance(p, str) else _copied(subject, p) for p in one) for one in lists]
    return f"{', '.join(texts)} {'was' if len(texts) == 1 else 'were'} added to it"


def _copied(subject: Subject, span: Span) -> str:
    return subject.sql[span.start : span.end]


def clash(name: str) -> str:
    """Return the words for a window that numbers equal rows beside another that does so differently."""
    return (
        f"{name} and another window number rows that the query can't tell apart, each in its own order;"
        " select a key too, or compute one of them in a CTE"
    )


def ordered_source(scope: Scope) -> bool:
    """Say whether a SELECT reads one query that ends in an ORDER BY, whose order it seems to rely on."""
    return len(scope.sources) == 1 and scope.sources[0].relation.ordered
