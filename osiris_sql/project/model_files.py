"""The SQL files of models, and those of snapshots, which are models too."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from osiris_sql.project.disk import Disk
from osiris_sql.project.names import Taken, is_name
from osiris_sql.project.shape import Report
from osiris_sql.project.sql_files import find_files, read_sql
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.noun import Json
from osiris_sql.types.project import Model

SNAPSHOTS = "snapshots"
_FOLDERS: Mapping[str, Mapping[str, Json]] = {"models": {}, SNAPSHOTS: {"materialized": "snapshot"}}

_BLOCK = re.compile(r"\{%-?\s*(?:snapshot\s+(?P<name>\w+)|endsnapshot)\s*-?%\}")


def read_models(disk: Disk, taken: Taken, report: Report) -> dict[str, Model]:
    """Return the models by name, with what their folder says of them, and not yet what YAML says."""
    models = {}
    for folder, config in _FOLDERS.items():
        for path in find_files(disk, folder, ".sql"):
            for name, text, place in _models_in(disk, path, report):
                if not is_name(name):
                    report(_invalid_name(name, place))
                elif taken.take(name, place, "rename one of the files"):
                    models[name] = Model(name=name, path=path, text=text, config=config, location=place)
    return models


def _models_in(disk: Disk, path: str, report: Report) -> Iterator[tuple[str, str, Location]]:
    """The name and text of each model of a file: one, or those of dbt's snapshot blocks."""
    text = read_sql(disk, path, report)
    if text is None:
        return
    begins = [m for m in _BLOCK.finditer(text) if m["name"]] if path.startswith(SNAPSHOTS) else []
    if not begins:
        yield PurePosixPath(path).stem, text, Location(path=path, line=1, column=1)
    for place, begin in enumerate(begins):
        after = begins[place + 1].start() if place + 1 < len(begins) else len(text)
        # What is not of this block becomes blank, so that every place in the file stays right.
        own = _blank(text[: begin.end()]) + _BLOCK.sub(lambda m: _blank(m[0]), text[begin.end() : after])
        line = text.count("\n", 0, begin.start()) + 1
        yield begin["name"], own, Location(path=path, line=line, column=1)


def _blank(text: str) -> str:
    return re.sub(r"[^\r\n]", " ", text)


def _invalid_name(name: str, place: Location) -> Diagnostic:
    return Diagnostic(
        rule="invalid-name",
        message=f'a model can\'t be called "{name}"',
        location=place,
        why="a name holds only letters, digits, _ and -",
        fix="rename the file",
    )
