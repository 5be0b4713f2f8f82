"""From a table's identifier to its files, in name order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from osiris_sql.support.nearest import nearest_names
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, StepError, UnreachableError

ABSENT = "no-such-file"
Format = Literal["csv", "parquet", "jsonl"]
EXTENSIONS: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
}


@dataclass(frozen=True, kw_only=True)
class TableFiles:
    """The files of one table, all of one format, sorted by name."""

    identifier: str
    format: Format
    paths: tuple[Path, ...]


def find_files(folder: Path, identifier: str) -> TableFiles:
    """Return the files of a table; raises StepError if there are none, or if it is not clear which."""
    found = _candidates(_checked_folder(folder), identifier)
    paths = sorted(found, key=lambda path: path.relative_to(folder).parts)
    formats = {format_of(path) for path in paths}
    unknown = [path.name for path in paths if format_of(path) is None]
    if unknown or len(formats) != 1:
        names = ", ".join(unknown or [path.name for path in paths])
        raise _not_found(
            "mixed-files" if not unknown else "unknown-file-type",
            f'the files of "{identifier}" are not of one known format: {names}',
            f"known are {', '.join(EXTENSIONS)}",
        )
    [format_] = formats
    assert format_ is not None
    return TableFiles(identifier=identifier, format=format_, paths=tuple(paths))


def format_of(path: Path) -> Format | None:
    """Return the format that a file's name says, or None."""
    found = (format_ for extension, format_ in EXTENSIONS.items() if path.name.lower().endswith(extension))
    return next(found, None)


def place_of(path: Path, root: Path) -> str:
    """Return a file's path as the project names it: relative to its root where it is inside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def cancelled() -> CancelledError:
    """Return what to raise once the source was interrupted."""
    return CancelledError(Diagnostic(rule="interrupted", message="reading files was interrupted"))


def table_names(folder: Path) -> list[str]:
    """Return the shortest identifier of each table in the folder: a file, or a folder of files."""
    entries = [entry for entry in _visible(_checked_folder(folder)) if _is_table(entry)]
    bare = [_bare_name(entry) for entry in entries]
    return sorted(
        name if bare.count(name) == 1 else entry.name for name, entry in zip(bare, entries, strict=True)
    )


def _candidates(folder: Path, identifier: str) -> list[Path]:
    pure = PurePosixPath(identifier)
    if not identifier or pure.is_absolute() or ".." in pure.parts:
        raise _not_found("bad-identifier", f'"{identifier}" is not the name of a file inside the folder', "")
    exact = folder / identifier
    if exact.is_file():
        return [exact]
    if any(mark in identifier for mark in "*?["):
        found = [path for path in folder.glob(identifier) if path.is_file()]
        if not found:
            raise _not_found(
                ABSENT, f'no file in {folder.name} matches "{identifier}"', _near(folder, identifier)
            )
        return found
    return _by_bare_name(folder, identifier)


def _by_bare_name(folder: Path, identifier: str) -> list[Path]:
    exact = folder / identifier
    files = [folder / (identifier + extension) for extension in EXTENSIONS]
    found = [path for path in files if path.is_file()]
    if exact.is_dir() and _is_table(exact):
        found.append(exact)
    if len(found) > 1:
        names = ", ".join(path.name + ("/" if path.is_dir() else "") for path in found)
        raise _not_found("ambiguous-file", f'"{identifier}" may be one of: {names}', "name the file itself")
    if not found:
        raise _not_found(ABSENT, f'{folder.name} has no file "{identifier}"', _near(folder, identifier))
    return [path for path in _visible(exact) if format_of(path)] if found[0].is_dir() else found


def _checked_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise UnreachableError(
            Diagnostic(
                rule="no-such-folder",
                message=f'there is no folder "{folder}"',
                fix="check `path` of the connection; it is relative to the root of the project",
            )
        )
    return folder


def _visible(folder: Path) -> Iterable[Path]:
    return (entry for entry in sorted(folder.iterdir()) if not entry.name.startswith((".", "_")))


def _is_table(entry: Path) -> bool:
    if entry.is_dir():
        return any(format_of(inside) and inside.is_file() for inside in _visible(entry))
    return format_of(entry) is not None


def _bare_name(entry: Path) -> str:
    longest = sorted(EXTENSIONS, key=len, reverse=True)
    extension = next((e for e in longest if entry.name.lower().endswith(e)), "")
    return entry.name[: len(entry.name) - len(extension)] if entry.is_file() else entry.name


def _near(folder: Path, identifier: str) -> str:
    names = table_names(folder)
    near = nearest_names(identifier, names, 3)
    return f"near: {', '.join(near)}" if near else f"it holds: {', '.join(names[:20]) or 'no tables'}"


def _not_found(rule: str, message: str, why: str) -> StepError:
    fix = "correct `identifier` of the table in sources.yml, or add the file"
    return StepError(Diagnostic(rule=rule, message=message, why=why, fix=fix))
