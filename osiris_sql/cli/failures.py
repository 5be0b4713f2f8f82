"""What a command ends with when it fails: words for the person, an exit code for the machine."""

from __future__ import annotations

import functools
import os
import tempfile
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from osiris_sql.cli import screen
from osiris_sql.cli.completion import find_root
from osiris_sql.support.interrupts import keyboard_interrupts
from osiris_sql.support.secrets import Redactor, all_env_names
from osiris_sql.types.diagnostic import CancelledError, OsirisError

BUG_EXIT_CODE = 1
SECRET_WORDS = ("PASS", "SECRET", "TOKEN", "KEY", "DSN", "URL", "CREDENTIAL", "AUTH")


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
            _report_bug(error, start)
            raise typer.Exit(BUG_EXIT_CODE) from None

    return guarded


def _report_bug(error: Exception, start: Path) -> None:
    root = find_root(start)
    redact = Redactor(_secret_values(root, os.environ))
    text = redact("".join(traceback.format_exception(error)))
    path = _write_report(root, text)
    console = screen.err()
    console.print(f"this is a bug in osiris-sql: {type(error).__name__}", style="bold red", soft_wrap=True)
    console.print(f"  why  {text.rstrip().splitlines()[-1]}", soft_wrap=True)
    console.print(f"  fix  please report it with {path}", soft_wrap=True)


def _write_report(root: Path | None, text: str) -> Path:
    name = f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    for folder in ([root / ".osiris"] if root else []) + [Path(tempfile.mkdtemp(prefix="osiris-sql-"))]:
        try:
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        except OSError:
            continue
        return folder / name
    raise RuntimeError("no folder can be written")


def _secret_values(root: Path | None, environ: Mapping[str, str]) -> list[str]:
    """The values of variables that the project's connections name, and of those named like secrets."""
    named: set[str] = set()
    for file in ("sources.yml", "targets.yml"):
        path = root / file if root else None
        if path and path.is_file():
            named |= set(all_env_names(path.read_text(encoding="utf-8", errors="replace")))
    named |= {name for name in environ if any(word in name.upper() for word in SECRET_WORDS)}
    return [environ[name] for name in sorted(named) if environ.get(name)]
