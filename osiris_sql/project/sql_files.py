"""Finds the files of a project and reads them as UTF-8."""

from osiris_sql.project.disk import Disk
from osiris_sql.project.shape import Report
from osiris_sql.types.diagnostic import Diagnostic, Location


def find_files(disk: Disk, folder: str, *endings: str) -> list[str]:
    """Return the paths of files under `folder` but the hidden ones, sorted, below the root, with `/`."""
    return [path for path in disk.files(folder) if path.endswith(endings)]


def read_text(disk: Disk, path: str, report: Report) -> str | None:
    """Return the text of a file, or None after reporting why it can't be read."""
    try:
        return disk.read(path).decode("utf-8-sig")
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


def read_sql(disk: Disk, path: str, report: Report) -> str | None:
    """Return the text of a SQL file; an empty one is a mistake and gives None."""
    text = read_text(disk, path, report)
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
