"""envd's calls on files and folders, without watchers."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.server.jail import HOME, ROOTED

if TYPE_CHECKING:
    from sandbox.server.sandboxes import Sandbox

Message = dict[str, Any]


class RefusedError(Exception):
    """An answer that is an error: `code` is a word of the protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def call(sandbox: Sandbox, method: str, asked: Message) -> Message:
    """Return the answer of one method."""
    if method not in METHODS:
        raise RefusedError("unimplemented", f"{method} is not known")
    return METHODS[method](sandbox, asked)


def _entry(sandbox: Sandbox, path: Path) -> Message:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    kinds = {stat.S_IFDIR: "FILE_TYPE_DIRECTORY", stat.S_IFLNK: "FILE_TYPE_SYMLINK"}
    inside = path.relative_to(sandbox.home) if path.is_relative_to(sandbox.home) else path
    return {
        "name": path.name,
        "path": str(Path(HOME) / inside),
        "type": kinds.get(stat.S_IFMT(found.st_mode), "FILE_TYPE_FILE"),
        "size": str(found.st_size),
        "mode": mode,
        "permissions": stat.filemode(found.st_mode),
        "owner": _name(pwd.getpwuid, found.st_uid, sandbox),
        "group": _name(grp.getgrgid, found.st_gid, sandbox),
        "modifiedTime": datetime.fromtimestamp(found.st_mtime, UTC).isoformat().replace("+00:00", "Z"),
        **({"symlinkTarget": os.path.realpath(path)} if path.is_symlink() else {}),
    }


def _name(look_up: Callable[[int], Any], number: int, sandbox: Sandbox) -> str:
    if number == sandbox.uid:
        return "user"
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def _there(sandbox: Sandbox, path: str) -> Path:
    found = sandbox.outside(path)
    if not found.exists() and not found.is_symlink():
        raise RefusedError("not_found", f"path '{path}' does not exist")
    return found


def _stat(sandbox: Sandbox, asked: Message) -> Message:
    return {"entry": _entry(sandbox, _there(sandbox, asked["path"]))}


def _list_dir(sandbox: Sandbox, asked: Message) -> Message:
    folder = _there(sandbox, asked["path"])
    if not folder.is_dir():
        raise RefusedError("invalid_argument", f"path '{asked['path']}' is not a directory")
    return {"entries": _below(sandbox, folder, asked.get("depth", 1))}


def _below(sandbox: Sandbox, folder: Path, depth: int) -> list[Message]:
    found = []
    for path in sorted(folder.iterdir()):
        found.append(_entry(sandbox, path))
        if depth > 1 and path.is_dir() and not path.is_symlink():
            found += _below(sandbox, path, depth - 1)
    return found


def _make_dir(sandbox: Sandbox, asked: Message) -> Message:
    folder = sandbox.outside(asked["path"])
    if folder.exists():
        raise RefusedError("already_exists", f"path '{asked['path']}' exists")
    _make_parents(sandbox, folder)
    return {"entry": _entry(sandbox, folder)}


def _make_parents(sandbox: Sandbox, folder: Path) -> None:
    if not folder.exists():
        _make_parents(sandbox, folder.parent)
        folder.mkdir()
        if ROOTED:
            os.chown(folder, sandbox.uid, sandbox.uid)


def _move(sandbox: Sandbox, asked: Message) -> Message:
    source, destination = _there(sandbox, asked["source"]), sandbox.outside(asked["destination"])
    _make_parents(sandbox, destination.parent)
    source.replace(destination)
    return {"entry": _entry(sandbox, destination)}


def _remove(sandbox: Sandbox, asked: Message) -> Message:
    path = sandbox.outside(asked["path"])
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return {}


METHODS: dict[str, Callable[[Sandbox, Message], Message]] = {
    "Stat": _stat,
    "ListDir": _list_dir,
    "MakeDir": _make_dir,
    "Move": _move,
    "Remove": _remove,
}
