"""Ctrl-C where it must not be raised just anywhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Done = TypeVar("Done")

# What DuckDB and pydantic make of a Ctrl-C while they compute: a RuntimeError, a SchemaError.
_OTHER_WORDS = ("Query interrupted", "KeyboardInterrupt:")


@contextmanager
def keyboard_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt for a Ctrl-C that another library heard first, and made an error of its own."""
    try:
        yield
    except Exception as error:
        # A module that is not written in Python can't be loaded, it says, where Ctrl-C came in between.
        heard = isinstance(error.__cause__, KeyboardInterrupt)
        if not heard and not any(words in str(error) for words in _OTHER_WORDS):
            raise
        raise KeyboardInterrupt from None


@contextmanager
def interrupts_to(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` for each Ctrl-C in the block, where KeyboardInterrupt would be raised otherwise: in other
    threads, and where the program has a way of its own, nothing changes."""
    main = threading.current_thread() is threading.main_thread()
    every = (signal.SIGINT, signal.SIGTERM) if main else ()
    numbers = [number for number in every if signal.getsignal(number) is signal.default_int_handler]
    for number in numbers:
        signal.signal(number, lambda *_: act())
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def interrupts_after() -> Iterator[None]:
    """Raise the KeyboardInterrupt of a Ctrl-C in the block when the block is done."""
    pressed: list[bool] = []
    with interrupts_to(lambda: pressed.append(True)):
        yield
    if pressed:
        raise KeyboardInterrupt


def run_interruptibly(work: Callable[[], Done], interrupt: Callable[[], None]) -> Done:
    """Return what `work` comes to in a thread of its own; Ctrl-C calls `interrupt` until it has ended.

    In the main thread DuckDB would run a query to its end, whatever is pressed.
    """
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(work)
        try:
            while not running.done():
                wait([running], timeout=0.2)
        except KeyboardInterrupt:
            while not running.done():
                interrupt()
                wait([running], timeout=0.05)
            raise
        return running.result()
