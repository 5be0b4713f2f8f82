"""Rows of unit tests in files of their own, as dbt has them: `tests/fixtures/*.csv` and `*.sql`."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Literal

from osiris_sql.project.disk import Disk
from osiris_sql.project.shape import Report
from osiris_sql.project.sql_files import find_files, read_text
from osiris_sql.types.diagnostic import Diagnostic, Location

FIXTURES = "fixtures"

Fixtures = dict[tuple[Literal["csv", "sql"], str], str]
"""The text of each file, by its format and its name without the ending."""


def read_fixtures(disk: Disk, test_paths: Iterable[str], report: Report) -> Fixtures:
    """Return every fixture below the folders of tests; two of one name and format are a mistake."""
    found: Fixtures = {}
    for folder in test_paths:
        for path in find_files(disk, f"{folder}/{FIXTURES}", ".csv", ".sql"):
            name = PurePosixPath(path).stem
            format_: Literal["csv", "sql"] = "csv" if path.endswith(".csv") else "sql"
            text = read_text(disk, path, report)
            if (format_, name) in found:
                message = f'there is another fixture "{name}" of the format {format_}'
                report(Diagnostic(rule="duplicate-name", message=message, location=Location(path=path)))
            elif text is not None:
                found[format_, name] = text
    return found
