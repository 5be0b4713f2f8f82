"""The two streams: stdout carries what was asked for, stderr the talk."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris_sql.types.diagnostic import Diagnostic

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDE = 160
"""Columns where there is no terminal: a log scrolls sideways, a wrapped table can't be read."""


def out() -> Console:
    """Return the console of stdout as it is now."""
    return _console(stderr=False)


def err() -> Console:
    """Return the console of stderr as it is now."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # Imported here: JSON for machines needs none of it.
    from osiris_sql.cli.patient_console import PatientConsole

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if terminal or "COLUMNS" in os.environ else WIDE
    return PatientConsole(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)


def print_text(text: Text) -> None:
    """Print a text to stdout, its lines as they are; where it has no colours, without laying it out."""
    console = out()
    if console.is_terminal:
        console.print(text, soft_wrap=True)
    else:
        write(f"{text.plain}\n")


def print_json(data: Any) -> None:
    """Print plain data as JSON to stdout."""
    write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def print_json_lines(rows: Iterable[Any]) -> None:
    """Print plain data as a JSON array to stdout, a line an item: with thousands indentation is dear."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    lines = (encode(row) for row in rows)
    write("[" + ",".join(f"\n{line}" for line in lines) + "\n]\n")


def write(text: str) -> None:
    """Write text to stdout as it is; without a reader it goes nowhere."""
    with suppress(BrokenPipeError):
        sys.stdout.write(text)
        sys.stdout.flush()


def print_diagnostics(diagnostics: Iterable[Diagnostic], root: Path) -> None:
    """Print diagnostics in full to stderr; their files are read below `root`."""
    found = list(diagnostics)
    if found:
        from osiris_sql.support.excerpt import diagnostics_text

        err().print(diagnostics_text(found, root), soft_wrap=True)
