"""Files that lint mended: as a diff, or written."""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path

from osiris_sql.cli import screen
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.project import Project


def show_changes(project: Project, texts: Mapping[str, str]) -> None:
    """Print to stdout what would change in each file, as a diff that `git apply` takes."""
    old = {model.path: model.text for model in project.models}
    for path, text in sorted(texts.items()):
        lines = unified_diff(
            _lines(old[path]),
            _lines(text),
            f"a/{path}",
            f"b/{path}",
        )
        for line in lines:
            screen.write(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")


def _lines(text: str) -> list[str]:
    # Not `splitlines`: for git a line ends with a line feed and with nothing else.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def write_changes(project: Project, texts: Mapping[str, str], mended: int) -> None:
    """Write the new text of each file, and say to stderr how much was mended.

    Raises ProjectError, before anything is written, if a file is no longer what was read.
    """
    root, old = Path(project.root), {model.path: model.text for model in project.models}
    before = {path: (root / path).read_bytes() if (root / path).exists() else b"" for path in texts}
    changed = [path for path in texts if before[path].decode("utf-8-sig", errors="replace") != old[path]]
    if changed:
        message = "this file changed while lint was at work"
        raise ProjectError(
            *(Diagnostic(rule="changed-file", message=message, location=Location(path=p)) for p in changed)
        )
    for path, text in texts.items():
        mark = BOM_UTF8 if before[path].startswith(BOM_UTF8) else b""
        try:
            _replace((root / path).resolve(), mark + text.encode())
        except OSError as error:
            place, message = Location(path=path), f"can't write it: {error.strerror}"
            raise ProjectError(Diagnostic(rule="unwritable-file", message=message, location=place)) from None
    if texts:
        files = f"{len(texts)} file{'s' if len(texts) > 1 else ''}"
        screen.err().print(f"mended {mended} in {files}: {', '.join(sorted(texts))}", style="green")


def _replace(file: Path, body: bytes) -> None:
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        beside.write_bytes(body)
        beside.chmod(file.stat().st_mode)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)  # what a full disk left half written
