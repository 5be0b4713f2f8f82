"""osiris-sql: declarative, SQL-first transformation from source to app, with the same numbers anywhere."""

__version__: str


def __getattr__(name: str) -> str:
    """Return the version of this program, which few commands ask for and which is slow to find."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import version

    return version("osiris-sql")
