"""What a verdict is made of."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.compile.determinism.splice import Edit
from osiris_sql.types.manifest import Verdict
from osiris_sql.types.relation import TableSchema

Key = frozenset[str]

# The worst finding decides; an unknown is worse than a rewrite and better than a known hazard.
_SEVERITY: dict[Verdict, int] = {"proved": 0, "declared": 0, "rewritten": 1, "unknown": 2, "unsafe": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFacts:
    """An input of a query: its node, columns, and keys (names in lower case).

    A key counts only if no two rows agree on it with NULL taken as a value: a column that is merely
    tested `unique` may hold many NULLs and is no key, unless it is `not_null` as well.
    """

    node: str
    schema: TableSchema
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says of one construct; `span` are offsets in characters of the author's text."""

    rule: str
    verdict: Verdict
    message: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on a query, why, and the text to run: the author's, with the rewrites spliced in.

    `keys` tell the output's rows apart (names in lower case, least first; the empty key means one
    row at most). `clock` is the grain at which the run clock is read, None if it isn't. `output` is what
    the text gives, where it was bound.
    """

    verdict: Verdict
    reasons: tuple[Finding, ...]
    sql: str
    keys: tuple[Key, ...]
    clock: str | None
    output: TableSchema | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A finding with the edits that make it true; `clock` is the grain at which it reads the clock."""

    finding: Finding
    edits: tuple[Edit, ...] = ()
    clock: str | None = None


def worst(findings: tuple[Finding, ...]) -> Verdict:
    """Return the verdict that all findings leave."""
    return max((f.verdict for f in findings), key=_SEVERITY.__getitem__, default="proved")
