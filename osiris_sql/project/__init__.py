"""From files to a Project: reads YAML, TOML and SQL files, renders nothing."""

from osiris_sql.project.load import load_project

__all__ = ["load_project"]
