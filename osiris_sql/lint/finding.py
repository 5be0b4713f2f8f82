"""What a rule finds, before it has a name, a severity and a place in a file."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.types.diagnostic import Location


@dataclass(frozen=True, slots=True)
class Edit:
    """Puts `text` in the place of the characters from `start` up to `end` of a rendered query."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: `span` are characters of the rendered query, else `location` says where it is.

    `edits` mend it without changing what the query means; without any it is for its author to mend.
    """

    message: str
    span: tuple[int, int] | None = None
    location: Location | None = None
    why: str = ""
    fix: str = ""
    edits: tuple[Edit, ...] = ()
