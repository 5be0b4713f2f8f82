"""The rows of a spool file brought to the stage of osiris-sql's functions, over several lines at once."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from osiris_sql.protocols import Load
from osiris_sql.targets._modes import check_arrived
from osiris_sql.targets.supabase.rest.bodies import ROW_END, read_chunks, rows_of
from osiris_sql.targets.supabase.rest.wire import Progress, Rest, RestError
from osiris_sql.types.plan import Publish

# A round trip to a hosted project takes as long as a body of this size; batches may arrive in any order.
LINES = 3
_END, _ESCAPE = ROW_END.encode(), "\x82".encode()


@dataclass(frozen=True)
class Stage:
    """Where the batches of one delivery go; each has a number of its own."""

    rest: Rest
    publication: Publish
    delivery: str
    progress: Progress
    numbers: Iterator[int]

    def store(self, chunk: bytes) -> int:
        """Send the rows of one piece and return how many arrived; a piece that is too large is halved."""
        sent = chunk.count(_END)
        body = self._body(chunk, sent)
        try:
            stored = self.rest.call("osiris_stage", body, self.progress)
        except RestError as error:
            if not error.too_much or sent == 1:
                raise
            rows = rows_of(chunk)
            halves = rows[: sent // 2], rows[sent // 2 :]
            return sum(self.store("".join(f"{row}{ROW_END}" for row in half).encode()) for half in halves)
        check_arrived(self.publication, len(body), stored, what="octets were sent in a batch")
        return sent

    def _body(self, chunk: bytes, rows: int) -> bytes:
        # What comes before the first field of a row says nothing, so that a line may stand there.
        line = f"{self.delivery} {next(self.numbers)} {rows} {_ESCAPE in chunk}\n"
        return line.encode() + chunk.removesuffix(_END)


def stage_rows(rest: Rest, publication: Publish, load: Load, delivery: str, progress: Progress) -> None:
    """Send all rows and count them; a few pieces are on their way at any time."""
    stage = Stage(rest, publication, delivery, progress, itertools.count())
    sent = 0
    waiting: deque[Future[int]] = deque()
    with ThreadPoolExecutor(LINES) as lines:
        for chunk in read_chunks(load.path):
            waiting.append(lines.submit(stage.store, chunk))
            while len(waiting) > LINES:
                sent += waiting.popleft().result()
                progress(sent, "sending")
        for stored in waiting:
            sent += stored.result()
            progress(sent, "sending")
    check_arrived(publication, load.rows, sent, what="rows were to be sent")
