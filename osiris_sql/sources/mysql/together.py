"""Several readers at once, each in a thread of its own, as one stream."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
Reader = Generator[T, None, None]
AHEAD = 2
"""What each reader may have read that nobody has taken yet."""
TICK = 0.05


def read_together(readers: Sequence[Reader[T]]) -> Iterator[T]:
    """Yield what the readers yield, as it comes; the first error ends them all and is raised."""
    arrived: Queue[T | Exception | None] = Queue(AHEAD * len(readers))
    stopped = Event()

    def read(reader: Reader[T]) -> None:
        try:
            for each in reader:
                arrived.put(each)
                if stopped.is_set():
                    break
            reader.close()
            arrived.put(None)
        except Exception as error:  # noqa: BLE001 - raised again where the rows are taken
            arrived.put(error)

    threads = [Thread(target=read, args=(reader,), daemon=True, name="mysql-reader") for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield from _until_all_end(arrived, len(threads))
    finally:
        stopped.set()
        for thread in threads:
            _wait(thread, arrived)


def _until_all_end(arrived: Queue[T | Exception | None], running: int) -> Iterator[T]:
    while running:
        each = arrived.get()
        if isinstance(each, Exception):
            raise each
        if each is None:
            running -= 1
        else:
            yield each


def _wait(thread: Thread, arrived: Queue[T | Exception | None]) -> None:
    """Wait for the end of a thread, which may wait for room."""
    while thread.is_alive():
        try:
            arrived.get(timeout=TICK)
        except Empty:
            continue
