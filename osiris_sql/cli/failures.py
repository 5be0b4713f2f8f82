"""What a command ends with when it fails: words for the person, an exit code for the machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from osiris_sql.cli import screen
from osiris_sql.cli.completion import find_root
from osiris_sql.support.interrupts import keyboard_interrupts
from osiris_sql.types.diagnostic import CancelledError, OsirisError

BUG_EXIT_CODE = 1


def guard(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` so that it ends in an exit code, whatever happens in it."""

    @functools.wraps(command)
    def guarded(**arguments: Any) -> None:
        start = Path(arguments.get("project_dir") or ".")
        try:
            with keyboard_interrupts():
                command(**arguments)
        except OsirisError as error:
            screen.print_diagnostics(error.diagnostics, find_root(start) or start)
            if arguments.get("as_json"):
                from osiris_sql.support import wire

                screen.print_json({"diagnostics": [wire.to_data(d) for d in error.diagnostics]})
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            screen.err().print("interrupted", style="yellow")
            raise typer.Exit(CancelledError.exit_code) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence: a bug of ours
            from osiris_sql.cli.bug_report import report_bug

            report_bug(error, start)
            raise typer.Exit(BUG_EXIT_CODE) from None

    return guarded
