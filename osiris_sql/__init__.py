"""osiris-sql: declarative, SQL-first transformation from source to app, with the same numbers anywhere."""

from importlib.metadata import version

__version__ = version("osiris-sql")
