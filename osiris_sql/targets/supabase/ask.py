"""Data tests asked of PostgreSQL."""

from typing import Any

from osiris_sql.protocols import TestOutcome
from osiris_sql.types.plan import PlannedTest


def ask_rows(cursor: Any, test: PlannedTest, sample: int) -> TestOutcome:
    """Return the count of offending rows, and the first ones as text."""
    offending = f"(\n{test.sql}\n) AS offending"
    cursor.execute(f"SELECT count(*) FROM {offending}")
    [(found,)] = cursor.fetchall()
    failures = found if test.limit is None else min(found, test.limit)
    if not failures:
        return TestOutcome(failures=0, sample=())
    cursor.execute(f"SELECT * FROM {offending} LIMIT 0")
    names = [column[0] for column in cursor.description]
    columns = [f"c{place}" for place in range(len(names))]
    texts = ", ".join(f"CAST({column} AS text)" for column in columns)
    cursor.execute(
        f"SELECT {texts} FROM {offending}({', '.join(columns)})"
        f' ORDER BY CAST(offending AS text) COLLATE "C" LIMIT {sample}'
    )
    sample_rows = tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    return TestOutcome(failures=failures, sample=sample_rows)
