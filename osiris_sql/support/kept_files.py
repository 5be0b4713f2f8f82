"""Files of the cache: whole or not there at all, and no reason to fail.

They hold JSON, which can run no code: reading it back costs no more than Python's own pickles would.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

_SIZE = 32
_ABANDONED = 3600


@cache
def tool_identity() -> str:
    """Return the identity of all that compiles: what is installed, and the files of this very program."""
    folder = Path(__file__).parents[1]
    seen = sorted(_installed())
    # A checkout that is worked on keeps its version while its code changes.
    seen += sorted(f"{name} {stat.st_mtime_ns} {stat.st_size}" for name, stat in _files(folder))
    return digest_of(repr([sys.version, seen]).encode())


def _installed() -> Iterator[str]:
    """Yield the packages with their versions, as the names of their folders say them."""
    for folder in sys.path:
        with suppress(OSError):
            yield from (entry.name for entry in os.scandir(folder) if entry.name.endswith(".dist-info"))


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(Path(entry.path))
        elif entry.name.endswith((".py", ".sql")):
            yield entry.path, entry.stat()


def digest_of(data: bytes, key: bytes = b"") -> str:
    """Return the identity of bytes, as 64 hexadecimal digits; with a key nobody without it can guess them."""
    return hashlib.blake2b(data, digest_size=_SIZE, key=key).hexdigest()


def read_whole(path: Path) -> bytes | None:
    """Return what `write_whole` wrote, None if there is nothing, if it was damaged, or if another version
    of the program wrote it."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, _, body = data.partition(b"\n")
    return body if digest.decode(errors="replace") == _seal(body) else None


def write_whole(path: Path, body: bytes) -> None:
    """Replace a file at once: who reads it meanwhile sees the old or the new one, never a part."""
    written = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written.write_bytes(_seal(body).encode() + b"\n" + body)
        written.replace(path)
        _sweep(path)
    except OSError:
        # A full disk or a folder that is read-only: the next command is slower, and nothing else.
        with suppress(OSError):
            written.unlink()


def _seal(body: bytes) -> str:
    return digest_of(body, key=tool_identity().encode())


def _sweep(path: Path) -> None:
    """Remove what processes left behind that were killed while they wrote."""
    for left in path.parent.glob(f"{path.name}.*"):
        if time.time() - left.stat().st_mtime > _ABANDONED:
            left.unlink(missing_ok=True)
