"""Shows the first rows of a query."""

from __future__ import annotations

from osiris_sql.run.steps.running import Running
from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Preview


def run_preview(running: Running, step: Preview) -> StepFinished:
    """Return the rows as text in `facts`: `columns` (name, type) and `rows`."""
    with running.engine.transaction() as transaction:
        schema, rows = transaction.preview(step.sql, running.plan.run_clock, step.limit)
    columns = [[column.name, column.type] for column in schema.columns]
    return StepFinished(
        step=step.id,
        status="success",
        why=step.why,
        rows_out=len(rows),
        facts={"columns": columns, "rows": [list(row) for row in rows]},
    )
