"""What publishing would change in a target's table, found without writing anything."""

from collections.abc import Mapping
from typing import Literal

from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.noun import noun

ChangeKind = Literal["insert", "update", "delete"]


@noun
class RowChange:
    """One row that would change, its values as text; of an update, the key and the columns that differ."""

    kind: ChangeKind
    key: Mapping[str, str | None]
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]


@noun
class Difference:
    """The rows that a delivery would write, counted as the delivery itself would count them.

    `samples` are the first rows of each kind by key, `refusals` the guards that would stop it.
    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    total_before: int = 0
    samples: tuple[RowChange, ...] = ()
    refusals: tuple[Diagnostic, ...] = ()


@noun
class PublicationDifference:
    """The difference of one publication in a plan, or in `why` the reason that there is none.

    `notes` say of which rows it is: those that the warehouse holds now.
    """

    step: str
    mode: str
    rows: int | None = None
    difference: Difference | None = None
    why: str = ""
    notes: tuple[str, ...] = ()
    refusals: tuple[Diagnostic, ...] = ()
    location: Location
