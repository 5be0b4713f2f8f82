"""Values that a plain table rounded, found in what it gives back of each batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.rest.keys import key_of
from osiris_sql.targets.supabase.rest.values import comparable, read_json
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.plan import Publish

# Tables silently round into numeric(p,s), real and timestamp(p); what does not fit a whole number is refused.
_ROUNDED = ("numeric", "real", "double precision", "bigint", "integer", "timestamp")


def provable(publication: Publish) -> dict[str, str]:
    """Return the columns whose values a table could round, with the type that they have before."""
    made = {column.name: postgres_type(column.type) for column in publication.columns}
    return {
        name: type_.name
        for name, type_ in made.items()
        if type_ and type_.name.startswith(_ROUNDED) and name not in publication.key
    }


def refuse_rounded(
    publication: Publish, columns: Mapping[str, str], rows: Sequence[str], back: Sequence[Mapping[str, Any]]
) -> None:
    """Raise StepError with the first value that the table holds otherwise than it was sent."""
    sent = {key_of(publication, row): row for row in map(read_json, rows)}
    for row in back:
        wanted = sent.get(key_of(publication, row))
        for name, type_ in columns.items() if wanted else ():
            assert wanted is not None
            if _is_other(wanted[name], row[name], type_):
                raise StepError(_rounded(publication, name, wanted[name], row[name]))


def _is_other(sent: Any, found: Any, type_: str) -> bool:
    one, other = comparable(sent, type_), comparable(found, type_)
    # Of the years before Christ and after 9999 each side has a spelling of its own: they are left alone.
    return bool(one != other and not (isinstance(one, str) and type_.startswith("timestamp")))


def _rounded(publication: Publish, name: str, sent: Any, found: Any) -> Diagnostic:
    return refusal(
        publication,
        "value-does-not-fit",
        f"{name}: {sent} was sent, the table holds {found}; rows of this batch were written",
        why="over REST without osiris-sql's functions the column's type is not known before",
        fix="round it in the model or widen the column, then publish again",
    )
