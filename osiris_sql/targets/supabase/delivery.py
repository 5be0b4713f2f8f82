"""One delivery: what is sent, where to, and who listens."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from osiris_sql.protocols import Load
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier


def quiet(rows: int, message: str) -> None:
    """Nobody waits for the rows on their way."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One call of `publish`: `id` names it in the ledger, so that a lost answer can be looked up.

    Rows that are only compared have none, and nobody listens.
    """

    publication: Publish
    load: Load
    schema: str
    stop: Event
    id: str = ""
    progress: Callable[[int, str], None] = quiet

    @property
    def target(self) -> str:
        """The table as the ledger and the lock know it."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.publication.table)}"
