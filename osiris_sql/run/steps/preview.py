"""Shows the first rows of a query."""

from __future__ import annotations

from collections.abc import Iterator

from osiris_sql.run.steps.running import Running
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Preview


def run_preview(running: Running, step: Preview) -> StepFinished:
    """Return the rows as text in `facts`: `columns` (name, type) and `rows`; StepError if it is not built."""
    if step.node not in running.data:
        what, fix = f"{step.node.partition(':')[2]} is not in the warehouse", "build it: osiris-sql build"
        raise StepError(Diagnostic(rule="not-built", message=what, location=step.location, fix=fix))
    with running.engine.transaction() as transaction:
        schema, rows = transaction.preview(step.sql, running.plan.run_clock, step.limit)
    columns = [[column.name, column.type] for column in schema.columns]
    return StepFinished(
        step=step.id,
        status="success",
        why=step.why,
        rows_out=len(rows),
        facts={"columns": columns, "rows": [list(row) for row in rows]},
        diagnostics=tuple(_left_out(running, step)),
    )


def _left_out(running: Running, step: Preview) -> Iterator[Diagnostic]:
    """Say which rows of a source table were not read, and so are not shown."""
    state = running.state.get(step.node)
    lacking = ["rows that nobody needed when it was read"] if state and state.filters else []
    lacking += [f"rows other than `where: {' '.join(step.where.split())}`"] if step.where else []
    if lacking:
        table = step.node.partition(":")[2]
        message = f"{table} is shown without {' and '.join(lacking)}"
        yield Diagnostic(rule="rows-left-out", severity="warning", message=message)
