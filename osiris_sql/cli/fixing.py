"""Files that lint mended: as a diff, or written."""

from __future__ import annotations

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
            old[path].splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )
        for line in lines:
            screen.write(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")


def write_changes(project: Project, texts: Mapping[str, str], mended: int) -> None:
    """Write the new text of each file, and say to stderr how much was mended.

    Raises ProjectError, before anything is written, if a file is no longer what was read.
    """
    root, old = Path(project.root), {model.path: model.text for model in project.models}
    changed = [path for path in texts if _read(root / path) != old[path]]
    if changed:
        message = "this file changed while lint was at work"
        raise ProjectError(
            *(Diagnostic(rule="changed-file", message=message, location=Location(path=p)) for p in changed)
        )
    for path, text in texts.items():
        beside = root / f"{path}.fixed"
        beside.write_bytes(text.encode())
        beside.chmod((root / path).stat().st_mode)
        beside.replace(root / path)
    if texts:
        files = f"{len(texts)} file{'s' if len(texts) > 1 else ''}"
        screen.err().print(f"mended {mended} in {files}: {', '.join(sorted(texts))}", style="green")


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")
