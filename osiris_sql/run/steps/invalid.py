"""Says which values of a source table are none of their column's type: how many, and where one stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from osiris_sql.protocols import Transaction
from osiris_sql.run.steps.loading import misfit, read_rows, staging
from osiris_sql.run.steps.running import Running
from osiris_sql.types.diagnostic import Diagnostic, OsirisError, StepError
from osiris_sql.types.plan import Extract
from osiris_sql.types.relation import Column, RelationRef, quote_identifier

EXPLAINED = frozenset({"zero-date", "bad-value", "query-failed"})
"""What a value that does not fit looks like where it was met first."""


def explain_invalid(running: Running, step: Extract, since: str | None, error: StepError) -> StepError:
    """Return the error as a count and an example for each column, if values that do not fit were its cause.

    The columns that the error names are read once more, as text, from the same snapshot.
    """
    suspects = [column for column in step.columns if _may_hold(column, error)]
    if not suspects or not {d.rule for d in error.diagnostics} <= EXPLAINED:
        return error
    found: list[Diagnostic] = []
    # What keeps us from looking again is not the news: the first error is.
    with suppress(OsirisError), running.engine.transaction() as transaction:
        found = list(_find(running, transaction, step, since, suspects))
        transaction.drop(staging(step))
    return StepError(*found) if found else error


def _may_hold(column: Column, error: StepError) -> bool:
    if column.type == "VARCHAR":
        return False
    told = " ".join(f"{d.message} {d.why}" for d in error.diagnostics)
    return f"column {column.name}" in told or "column " not in told


def _find(
    running: Running, transaction: Transaction, step: Extract, since: str | None, suspects: list[Column]
) -> Iterator[Diagnostic]:
    key = step.key or (step.recorded.key if step.recorded else ())
    names = dict.fromkeys([*(column.name for column in suspects), *key])
    staged = staging(step)
    read_rows(running, transaction, step, staged, tuple(Column(name=n, type="VARCHAR") for n in names), since)
    for column in suspects:
        with suppress(StepError):  # a type that text can't hold has no invalid text
            condition = misfit(column.name, column.type)
            if told := _count(running, transaction, staged, condition, column.name, key):
                yield _invalid(step, column, *told)


def _count(
    running: Running,
    transaction: Transaction,
    staged: RelationRef,
    condition: str,
    name: str,
    key: tuple[str, ...],
) -> tuple[int, Mapping[str, str]] | None:
    clock = running.plan.run_clock
    _, [(count,)] = transaction.preview(f"SELECT count(*) AS n FROM {staged.sql} WHERE {condition}", clock, 1)
    if not count:
        return None
    names = [*key, name]
    columns = ", ".join(f"{quote_identifier(n)} AS c{place}" for place, n in enumerate(names))
    _, [first] = transaction.preview(f"SELECT {columns} FROM {staged.sql} WHERE {condition}", clock, 1)
    return int(count), dict(zip(names, map(str, first), strict=True))


def _invalid(step: Extract, column: Column, count: int, example: Mapping[str, str]) -> Diagnostic:
    table = step.node.partition(":")[2]
    where = ", ".join(f"{name} = {value}" for name, value in example.items() if name != column.name)
    values = "1 value that is" if count == 1 else f"{count} values that are"
    return Diagnostic(
        rule="invalid-value",
        message=f"column {column.name} of {table} holds {values} not exactly of type {column.type}",
        location=step.location,
        why=f'such as "{example[column.name][:200]}"' + (f" where {where}" if where else ""),
        fix=f"correct it at the source, or declare for {column.name} in sources.yml another data_type,"
        " or on_invalid: null (it becomes NULL, counted) or text (the column is VARCHAR)",
    )
