"""A project as it was loaded last time, for files that say the same as then.

It is good as long as each question that loading asked has the same answer, and this is the same program.
Texts of models are read anew: loading takes them as they are, so an edited one changes nothing else.
"""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from osiris_sql.project.disk import Disk
from osiris_sql.support.kept_files import digest_of, read_whole, write_whole
from osiris_sql.support.packed import pack, unpack
from osiris_sql.types.project import Model, Project

SETTINGS = {"osiris-sql.toml": b"", "pyproject.toml": b"[tool.osiris-sql"}
"""The files that make a folder a project, and what must stand in them."""
_PACKAGE = Path(__file__).parents[1]
_READ_ANEW = "models/"


def recall_project(start: Path, env: str | None) -> Project | None:
    """Return the project that `start` is in as it was loaded last time; None if it must be loaded."""
    here = start.resolve()
    root = next((folder for folder in (here, *here.parents) if _is_project(folder)), None)
    body = read_whole(_path(root, env)) if root else None
    if root is None or body is None:
        return None
    head, _, packed = body.partition(b"\n")
    disk = Disk(root)
    if any(disk.answer((kind, path)) != answer for kind, path, answer in json.loads(head)):
        return None
    project = unpack(Project, packed)
    models = tuple(_as_it_is(model, disk.root) for model in project.models)
    if not all(model.text for model in models):
        return None
    # A project that was copied or moved brings its cache along, and must not build where it came from.
    return replace(project, root=disk.root.as_posix(), models=models)


def keep_project(project: Project, disk: Disk, env: str | None) -> None:
    """Keep a project for the next command, with what loading it asked the disk."""
    if not all(_is_built_in(kind, c.type) for c in project.connections for kind in (f"{c.role}s",)):
        return
    anew = {("bytes", model.path) for model in project.models if _is_read_anew(model)}
    answers = [(*question, answer) for question, answer in disk.answers.items() if question not in anew]
    with suppress(TypeError):  # a date of TOML is not for JSON
        write_whole(_path(disk.root, env), json.dumps(answers).encode() + b"\n" + pack(project))


def _path(root: Path, env: str | None) -> Path:
    return root / ".osiris" / "cache" / f"project-{digest_of((env or '').encode())[:16]}.json"


def _is_project(folder: Path) -> bool:
    for name, marker in SETTINGS.items():
        with suppress(OSError):
            if marker in (folder / name).read_bytes():
                return True
    return False


def _is_read_anew(model: Model) -> bool:
    return model.path.startswith(_READ_ANEW)


def _as_it_is(model: Model, root: Path) -> Model:
    """Return a model with the text of its file; with none if loading would have something to say of it."""
    if not _is_read_anew(model):
        return model
    text = ""
    with (
        suppress(OSError, UnicodeDecodeError),
        open(f"{root}/{model.path}", "rb", buffering=0) as file,  # noqa: PTH123 - a Path of each takes as long
    ):
        text = file.read().decode("utf-8-sig")
    return model if text == model.text else replace(model, text=text if text.strip() else "")


def _is_built_in(kind: str, type_: str) -> bool:
    """Say whether a type of connection is this program's own: the files of others may change unseen."""
    return any((_PACKAGE / kind / name).exists() for name in (type_, f"{type_}.py"))
