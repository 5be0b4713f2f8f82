"""The command line: the verbs of the API with words around them."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading

FEW_COLLECTIONS = 20_000
"""Objects between two looks for garbage. What a large project is made of lives to the end: looking through
it every 700 objects, as Python does by default, takes a tenth of a build that has nothing to do."""

INTERRUPTED = 130


def main() -> None:
    """Run `osiris-sql`, and end the process with the exit code of the command."""
    gc.set_threshold(FEW_COLLECTIONS)
    # numpy comes with pyarrow: its threads for algebra, which nobody asks for, spin for a tenth of a second.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character gets a question mark, not a crash.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        _run()
    except SystemExit as end:
        # What the command came to was said: Ctrl-C can't change it any more.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _leave(end)
        raise
    except KeyboardInterrupt:  # before there is a command that would say it
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        _flush_quietly()


def _run() -> None:
    from osiris_sql.cli.front import answer

    code = answer(sys.argv[1:])
    if code is not None:
        sys.exit(code)
    from osiris_sql.cli.app import make_app

    make_app(*sys.argv[1:2])(prog_name="osiris-sql")


def _leave(end: SystemExit) -> None:
    """End the process at once, where no thread is left to wait for: taking apart the objects of a large
    project, one by one, takes as long as a tenth of a build that has nothing to do."""
    # DuckDB's threads, where one asked a source for rows, count as daemons.
    others = set(threading.enumerate()) - {threading.main_thread()}
    if all(thread.daemon for thread in others) and isinstance(end.code, int | None):
        atexit._run_exitfuncs()
        _flush_quietly()
        os._exit(end.code or 0)


def _flush_quietly() -> None:
    """A reader such as `head` may be gone: what is left then goes nowhere, without a word."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
