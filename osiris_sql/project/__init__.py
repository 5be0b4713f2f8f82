"""From files to a Project: reads YAML, TOML and SQL files, renders nothing."""

from collections.abc import Mapping
from pathlib import Path

from osiris_sql.types.project import Project


def load_project(
    start: Path,
    *,
    env: str | None = None,
    vars: Mapping[str, object] | None = None,  # noqa: A002 - dbt's word
) -> Project:
    """Return the project that `start` is in, for one environment; `vars` win over those of the settings.

    Mistakes are in its `diagnostics`, sorted by place, and what they concern is left out. Raises
    ProjectError only where nothing can be loaded: no project, broken settings, unknown environment.
    """
    # Imported here, so that the package alone does not load pydantic and YAML.
    from osiris_sql.project.load import load_from_files

    return load_from_files(start, env=env, vars=vars)[0]
