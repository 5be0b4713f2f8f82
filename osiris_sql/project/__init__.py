"""From files to a Project: reads YAML, TOML and SQL files, renders nothing."""
