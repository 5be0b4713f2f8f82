"""The first page and the version: what people see first, printed without loading what commands need."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

PANELS = ("Start", "Write", "Run", "Look", "House")
ABOUT = (
    "Transform with SQL: from MySQL or files, through DuckDB models, to Supabase; the same numbers anywhere."
)
BEGIN = "osiris-sql init shop && cd shop && osiris-sql build"
OPTIONS = (
    ("--version, -V", "Print the version."),
    ("--install-completion", "Install completion for the current shell."),
    ("--show-completion", "Show completion for the current shell, to copy it or customize the installation."),
    ("--help, -h", "Show this message and exit."),
)
EXIT_CODES = (
    "Exit codes: 0 ok, 1 a step or check failed, 2 the project or the call is wrong, "
    "3 cannot connect or launch, 130 interrupted."
)
STYLES = {"strong": "\x1b[1m", "name": "\x1b[1;36m", "dim": "\x1b[2m"}

Paint = Callable[[str, str], str]
Rows = Sequence[tuple[str, str]]


def answer(words: Sequence[str]) -> int | None:
    """Print what these words of a call ask for and return its exit code; None if it takes a command."""
    if "_OSIRIS_SQL_COMPLETE" in os.environ:
        return None
    if list(words) in (["--version"], ["-V"]):
        _say(version_line())
        return 0
    if list(words) in ([], ["--help"], ["-h"]):
        _say(first_page())
        return 0 if words else 2
    return None


def version_line() -> str:
    """Return the name of the program and its version."""
    import osiris_sql

    return f"osiris-sql {osiris_sql.__version__}"


def first_page() -> str:
    """Return the help of the program, laid out for the terminal."""
    import shutil

    columns, coloured = shutil.get_terminal_size().columns, _coloured()

    def paint(text: str, style: str) -> str:
        return f"{STYLES[style]}{text}\x1b[0m" if coloured else text

    commands = sorted(_commands())
    longest = max(len(name) for _, _, name, _ in commands)
    panels = {p: [(n.ljust(longest), told) for of, _, n, told in commands if of == p] for p in PANELS}
    boxes = (_box(title, rows, columns, paint) for title, rows in {"Options": OPTIONS, **panels}.items())
    parts = (
        f" {paint('Usage:', 'strong')} osiris-sql [OPTIONS] COMMAND [ARGS]...",
        _paragraph(ABOUT, columns),
        f" New here? {paint(BEGIN, 'name')}",
        "\n".join(boxes),
        _paragraph(EXIT_CODES, columns),
    )
    return "\n" + "\n\n".join(parts) + "\n"


def _commands() -> Iterator[tuple[str, int, str, str]]:
    """Panel, place in it, name and first sentence of each command, as its file says them."""
    import ast  # like all that only this page needs: commands do without

    for path in Path(__file__).with_name("commands").glob("[a-z]*.py"):
        for statement in ast.parse(path.read_bytes()).body:
            match statement:
                case ast.Assign(
                    targets=[ast.Tuple(elts=[ast.Name(id="PANEL"), _])],
                    value=ast.Tuple(elts=[ast.Constant(value=str(panel)), ast.Constant(value=int(place))]),
                ):
                    pass
                case ast.FunctionDef(
                    name="command", body=[ast.Expr(value=ast.Constant(value=str(told))), *_]
                ):
                    yield panel, place, path.stem, told.partition("\n")[0]


def _paragraph(text: str, columns: int) -> str:
    import textwrap

    return textwrap.fill(text, columns - 2, initial_indent=" ", subsequent_indent=" ")


def _box(title: str, rows: Rows, columns: int, paint: Paint) -> str:
    import textwrap

    names = max(len(name) for name, _ in rows)
    texts = max(20, columns - names - 6)
    side, rule = paint("│", "dim"), "─" * (columns - len(title) - 5)
    lines = [paint(f"╭─ {title} {rule}╮", "dim")]
    for name, text in rows:
        first, *more = textwrap.wrap(text, texts)
        lines.append(f"{side} {paint(name.ljust(names), 'name')}  {first.ljust(texts)} {side}")
        lines += [f"{side} {' ' * names}  {line.ljust(texts)} {side}" for line in more]
    return "\n".join([*lines, paint(f"╰{'─' * (columns - 2)}╯", "dim")])


def _coloured() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _say(text: str) -> None:
    """Print a text; without a reader it goes nowhere."""
    with suppress(BrokenPipeError):
        print(text)
