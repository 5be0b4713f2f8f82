"""Finds the files of a project and reads them as UTF-8."""

import os
from collections.abc import Iterator
from pathlib import Path

from osiris_sql.project.shape import Report
from osiris_sql.types.diagnostic import Diagnostic, Location


def find_files(root: Path, folder: str, *endings: str) -> Iterator[str]:
    """Yield the paths of files under `folder` but the hidden ones, sorted, relative to `root`, with `/`."""
    found = []
    for here, folders, names in os.walk(root / folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in names if name.endswith(endings) and not name.startswith(".")]
    yield from sorted(path.relative_to(root).as_posix() for path in found)


def read_text(root: Path, path: str, report: Report) -> str | None:
    """Return the text of a file, or None after reporting why it can't be read."""
    try:
        return (root / path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        report(
            Diagnostic(
                rule="not-utf8",
                message=f"byte {error.start} (0x{error.object[error.start]:02X}) is not UTF-8",
                location=Location(path=path, line=line),
                fix="save the file as UTF-8",
            )
        )
    except OSError as error:
        place = Location(path=path)
        report(Diagnostic(rule="unreadable-file", message=f"can't read it: {error.strerror}", location=place))
    return None


def read_sql(root: Path, path: str, report: Report) -> str | None:
    """Return the text of a SQL file; an empty one is a mistake and gives None."""
    text = read_text(root, path, report)
    if text is not None and not text.strip():
        place = Location(path=path, line=1, column=1)
        report(
            Diagnostic(
                rule="empty-file",
                message="the file is empty",
                location=place,
                fix="write a SELECT, or delete the file",
            )
        )
        return None
    return text
