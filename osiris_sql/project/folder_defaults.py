"""Model defaults by folder: the tree under `[tool.osiris-sql.models]`, as in dbt."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from osiris_sql.project.check import check_shape
from osiris_sql.project.disk import Disk
from osiris_sql.project.merged_config import merge_config
from osiris_sql.project.mismatch import unknown_key
from osiris_sql.project.model_config import CONFIG_KEYS, ConfigShape
from osiris_sql.project.shape import Locate, Report
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.support.yamlfile import KeyPath
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import Json

FolderDefaults = Mapping[PurePosixPath, Mapping[str, Json]]
"""Folder (relative to the project, such as `models/marts`) → configuration, not merged with those above."""


def read_folder_defaults(
    disk: Disk, tree: Mapping[str, Any], locate: Locate, report: Report
) -> FolderDefaults:
    """Return the defaults of each folder that the tree names; a key may carry dbt's `+`."""
    defaults: dict[PurePosixPath, Mapping[str, Json]] = {}
    todo: list[tuple[PurePosixPath, KeyPath, Mapping[str, Any]]] = [
        (PurePosixPath("models"), ("models",), tree)
    ]
    while todo:
        folder, path, entries = todo.pop()
        folders = {key: value for key, value in entries.items() if _is_folder(key, value)}
        todo += [(folder / key, (*path, key), value) for key, value in folders.items()]
        if not disk.has_folder(folder.as_posix()) and folder.name != "models":
            report(_unknown_folder(disk, folder, path, locate))
        given = {key: value for key, value in entries.items() if key not in folders}
        defaults[folder] = _read_config(given, path, locate, report)
    return defaults


def defaults_of(path: str, defaults: FolderDefaults) -> dict[str, Json]:
    """Return the configuration that its folders, root first, give to the model at `path`."""
    merged: dict[str, Json] = {}
    for folder in reversed(PurePosixPath(path).parents):
        merged = merge_config(merged, defaults.get(folder, {}))
    return merged


def _is_folder(key: str, value: object) -> bool:
    is_option = key.startswith("+") or key in CONFIG_KEYS
    return isinstance(value, Mapping) and not is_option


def _read_config(
    entries: Mapping[str, Any], path: KeyPath, locate: Locate, report: Report
) -> dict[str, Json]:
    written = {key.removeprefix("+"): key for key in entries}
    for key in written.keys() - set(CONFIG_KEYS):
        report(unknown_key(key, list(CONFIG_KEYS), locate((*path, written[key]), key=True)))
    known = {key: entries[written[key]] for key in written if key in CONFIG_KEYS}
    shape = check_shape(ConfigShape, known, locate, report, path).value
    return shape.given() if shape else {}


def _unknown_folder(disk: Disk, folder: PurePosixPath, path: KeyPath, locate: Locate) -> Diagnostic:
    there = disk.folders(folder.parent.as_posix())
    return Diagnostic(
        rule="unknown-folder",
        severity="warning",
        message=f'these defaults are for "{folder}", which does not exist',
        location=locate(path, key=True),
        fix=did_you_mean(folder.name, [*there, *CONFIG_KEYS]),
    )
