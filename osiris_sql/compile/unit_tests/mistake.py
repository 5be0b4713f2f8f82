"""What stops a unit test before it has an answer."""


class UnitTestError(Exception):
    """A unit test that can't be run as it is written; its text is for the person who wrote it."""


class StageError(UnitTestError):
    """DuckDB refused a statement: its transaction is over, nothing more can be asked in it."""
