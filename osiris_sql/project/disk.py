"""The files of a project as loading asks for them: each question is noted, so that it can be asked again."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Literal

from osiris_sql.support.kept_files import digest_of

Question = tuple[Literal["file", "folder", "folders", "files", "bytes"], str]
ENDINGS = (".sql", ".yml", ".yaml", ".csv")


class Disk:
    """What stands below a folder; `answers` has a digest for each question so far."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.answers: dict[Question, str] = {}
        self._files: dict[str, list[str]] = {}

    def answer(self, question: Question) -> str:
        """Return the digest of the answer as it is now."""
        kind, path = question
        match kind:
            case "file":
                self.has_file(path)
            case "folder":
                self.has_folder(path)
            case "folders":
                self.folders(path)
            case "files":
                self.files(path)
            case "bytes":
                with suppress(OSError):
                    self.read(path)
        return self.answers[question]

    def has_file(self, path: str) -> bool:
        """Say whether there is a file."""
        found = (self.root / path).is_file()
        self.answers["file", path] = str(found)
        return found

    def has_folder(self, path: str) -> bool:
        """Say whether there is a folder."""
        found = (self.root / path).is_dir()
        self.answers["folder", path] = str(found)
        return found

    def folders(self, path: str) -> list[str]:
        """Return the names of the folders in a folder; none if it is not there."""
        found = sorted(entry.name for entry in _entries(self.root / path) if entry.is_dir())
        self.answers["folders", path] = digest_of(repr(found).encode())
        return found

    def files(self, folder: str) -> list[str]:
        """Return the paths below the root of all files under a folder that may concern a project, sorted;
        hidden ones do not."""
        if folder not in self._files:
            start = PurePosixPath(folder).as_posix()
            found = self._files[folder] = sorted(self._walk("" if start == "." else f"{start}/"))
            self.answers["files", folder] = digest_of("\n".join(found).encode(errors="surrogateescape"))
        return self._files[folder]

    def _walk(self, folder: str) -> Iterator[str]:
        for entry in _entries(self.root / folder):
            if entry.name.startswith("."):
                continue
            if not entry.is_dir():
                yield from [folder + entry.name] if entry.name.endswith(ENDINGS) else []
            elif not entry.is_symlink():
                yield from self._walk(f"{folder}{entry.name}/")

    def read(self, path: str) -> bytes:
        """Return what a file holds; raises OSError."""
        self.answers["bytes", path] = ""
        data = (self.root / path).read_bytes()
        self.answers["bytes", path] = digest_of(data)
        return data


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return
