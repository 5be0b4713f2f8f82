"""The batches of a microbatch model, as a plan holds them."""

from osiris_sql.types.manifest import BatchSize
from osiris_sql.types.noun import noun


@noun
class Batches:
    """The batches of a model, half-open and of one `size`; a row is in that of its `event_time`.

    From `begin` to `end` if the model is built from its beginning, else from `start`. `asked` batches are
    built again whatever is there. Instants are ISO, in UTC.
    """

    event_time: str
    type: str
    size: BatchSize
    begin: str
    start: str
    end: str
    asked: bool = False
