"""Puts what came back from the sandbox in its place, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from osiris_sql.launchers.e2b.record import Record
from osiris_sql.types.diagnostic import Diagnostic, StepError


def put_in_place(archive: Path | None, artifacts: Mapping[str, Any], record: Record, root: Path) -> list[str]:
    """Replace files of the project by those that the run wrote, and return their paths.

    Every file is checked and written beside its place before the first one is replaced. Raises
    StepError if one changed here meanwhile, or was not to come back; then nothing is replaced, and the
    archive stays in the run's folder.
    """
    files, removed = artifacts["files"], artifacts["removed"]
    _refuse_strangers([*files, *removed], record)
    _refuse_changed({**files, **dict.fromkeys(removed, "")}, record, root)
    waiting: dict[Path, Path] = {}
    try:
        if archive:
            with tarfile.open(archive) as tar:
                for name, sha256 in files.items():
                    place = root / name
                    waiting[place] = _unpack(tar, name, sha256, place)
        for place, new in waiting.items():
            new.replace(place)
    finally:
        for new in waiting.values():
            new.unlink(missing_ok=True)
    for name in removed:
        (root / name).unlink(missing_ok=True)
    if archive:
        archive.unlink()
    return sorted(files)


def _unpack(tar: tarfile.TarFile, name: str, sha256: str, place: Path) -> Path:
    content = tar.extractfile(name)
    if content is None:
        raise StepError(Diagnostic(rule="bad-artifact", message=f"{name} came back as no file"))
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_name(f".{place.name}.osiris-new")
    digest = hashlib.sha256()
    with content, new.open("wb") as file:
        while piece := content.read(1 << 20):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != sha256:
        new.unlink()
        raise StepError(Diagnostic(rule="bad-artifact", message=f"{name} came back with other bytes"))
    return new


def _refuse_strangers(names: list[str], record: Record) -> None:
    places = [PurePosixPath(place) for place in record.returns]
    wals = {f"{place}.wal" for place in record.returns}
    wrong = [
        name
        for name in names
        if ".." in PurePosixPath(name).parts
        or not (name in wals or any(PurePosixPath(name).is_relative_to(place) for place in places))
    ]
    if wrong:
        message = f"the sandbox sent files that were not to come back: {', '.join(wrong)}"
        raise StepError(Diagnostic(rule="bad-artifact", message=message))


def _refuse_changed(new: Mapping[str, str], record: Record, root: Path) -> None:
    """`new` is what comes back, as sha256 by name: a client that was killed may have put it there already."""
    changed = [
        name
        for name, sha256 in new.items()
        if _sha256(root / name) not in (record.shipped.get(name, ""), sha256)
    ]
    if changed:
        raise StepError(
            Diagnostic(
                rule="changed-meanwhile",
                message=f"{', '.join(changed)} changed here while the sandbox worked on a copy",
                why="replacing it would lose that change",
                fix="the new files are in artifacts.tar of this run's folder; or build again",
            )
        )


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
