"""The very code that runs, as files: hashed the same way from a folder, an archive or a sandbox."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

PACKAGE = "osiris_sql"
# The earliest time that an archive can hold: the same bytes whenever it is made.
EPOCH = (1980, 1, 1, 0, 0, 0)


@cache
def package_files() -> Mapping[str, bytes]:
    """Return every file of the installed package by its path, sorted."""
    return dict(sorted(_below(files(PACKAGE), PACKAGE)))


def _below(folder: Traversable, place: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _below(entry, f"{place}/{entry.name}")
        else:
            yield f"{place}/{entry.name}", entry.read_bytes()


@cache
def hash_code() -> str:
    """Return the sha256 over the package's sorted paths and contents."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in package_files().items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def zip_package() -> bytes:
    """Return the package as an archive to import from: the same bytes for the same files.

    It says its name and version, so that `importlib.metadata` finds them.
    """
    number = version("osiris-sql")
    metadata = f"Metadata-Version: 2.1\nName: osiris-sql\nVersion: {number}\n".encode()
    entries = {**package_files(), f"{PACKAGE}-{number}.dist-info/METADATA": metadata}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(entries.items()):
            archive.writestr(zipfile.ZipInfo(path, EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
