"""Diagnostics as text for people: place, what, the line with carets, why, and how to fix it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from osiris_sql.types.diagnostic import Diagnostic, Location

STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
WIDEST = 140
"""Columns of a source line that are shown; a longer one is cut round the place that is meant."""


def diagnostic_text(diagnostic: Diagnostic, root: Path) -> Text:
    """Return a diagnostic as lines, without a newline at the end; files are read below `root`."""
    style = STYLES[diagnostic.severity]
    text = Text()
    if diagnostic.location:
        text.append(f"{printable(str(diagnostic.location))}  ", "bold")
    text.append(f"{diagnostic.severity}[{diagnostic.rule}]", style)
    text.append(f"  {_continued(diagnostic.message, '  ')}")
    for line, caret in _excerpt(diagnostic.location, root):
        text.append(f"\n{line}")
        text.append(f"\n{caret}" if caret else "", style)
    for label, words in (("why", diagnostic.why), ("fix", diagnostic.fix)):
        if words:
            text.append(f"\n  {label}  ", "bold cyan")
            text.append(_continued(words, " " * 7))
    return text


def diagnostics_text(diagnostics: Iterable[Diagnostic], root: Path) -> Text:
    """Return diagnostics one under the other, a blank line between them."""
    return Text("\n\n").join([diagnostic_text(d, root) for d in diagnostics])


def printable(text: str, *, keep: str = "") -> str:
    """Return `text` so that it can't drive a terminal: control characters become their pictures."""
    if text.isprintable():
        return text
    return "".join(
        c if c in keep or unicodedata.category(c) not in ("Cc", "Cf") else _picture(c) for c in text
    )


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def _continued(words: str, indent: str) -> str:
    return printable(words.strip("\n"), keep="\n").replace("\n", "\n" + indent)


def _excerpt(location: Location | None, root: Path) -> list[tuple[str, str]]:
    """The line that is meant and the carets under it; nothing where the file has no such line."""
    if location is None or location.line is None:
        return []
    lines = _read_lines(root / location.path)
    if not 0 < location.line <= len(lines):
        return []
    raw = lines[location.line - 1]
    start = min(max((location.column or 1) - 1, 0), len(raw))
    end = min(start + max(location.length, 1), max(len(raw), start + 1))
    before, meant, after = (
        printable(part.expandtabs(1)) for part in (raw[:start], raw[start:end], raw[end:])
    )
    if cell_len(before + meant + after) > WIDEST:
        before = before if len(before) <= WIDEST // 2 else "…" + before[-WIDEST // 2 :]
        after = after[: max(WIDEST - len(before) - len(meant), 0)] + "…"
    gutter = f"{location.line:>5} | "
    margin = " " * 6 + "| " + " " * cell_len(before)
    carets = "" if location.column is None else margin + "^" * max(cell_len(meant), 1)
    return [((gutter + before + meant + after).rstrip(), carets)]


@lru_cache(maxsize=64)
def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
