"""JSON Schemas of the files that people write, made from the shapes that check them."""

from typing import Any

from osiris_sql.project.lockfile import LockFile
from osiris_sql.project.models_file import ModelsFile
from osiris_sql.project.settings_file import SettingsShape
from osiris_sql.project.shape import Shape
from osiris_sql.project.sources_file import SourcesFile
from osiris_sql.project.targets_file import TargetsFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILES: dict[str, type[Shape]] = {
    "settings": SettingsShape,
    "sources": SourcesFile,
    "targets": TargetsFile,
    "models": ModelsFile,
    "lock": LockFile,
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each kind of file: settings, sources, targets, models and lock."""
    return {
        name: {"$schema": _DIALECT, **shape.model_json_schema(mode="validation")}
        for name, shape in _FILES.items()
    }
