"""The versions on which numbers depend."""

from functools import cache
from importlib.metadata import version

PACKAGES = ("osiris-sql", "duckdb", "sqlglot")


@cache
def installed_versions() -> dict[str, str]:
    """Return the versions of the tool, the engine and the SQL parser."""
    return {name: version(name) for name in PACKAGES}
