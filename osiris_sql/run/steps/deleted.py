"""Lets go of rows that the source deleted, after an increment, which can't show them."""

from __future__ import annotations

from dataclasses import replace

from osiris_sql.protocols import Transaction
from osiris_sql.run.steps.loading import read_rows, staging
from osiris_sql.run.steps.running import Running
from osiris_sql.types.plan import Extract
from osiris_sql.types.relation import quote_identifier


def drop_deleted(running: Running, transaction: Transaction, step: Extract) -> int:
    """Read all keys of the table, from the snapshot that the new rows came from; return the rows dropped."""
    wanted = {name.lower() for name in step.key}
    keys = tuple(column for column in step.columns if column.name.lower() in wanted)
    staged, clock = staging(step), running.plan.run_clock
    read_rows(running, transaction, replace(step, max_rows=None), staged, keys, None)
    same = " AND ".join(f"k.{q} IS NOT DISTINCT FROM t.{q}" for q in (quote_identifier(c.name) for c in keys))
    there = f"EXISTS (SELECT 1 FROM {staged.sql} AS k WHERE {same})"
    rows = f"FROM {step.relation.sql} AS t WHERE"
    _, [(gone,)] = transaction.preview(f"SELECT count(*) AS n {rows} NOT {there}", clock, 1)
    if gone:
        transaction.replace_table(step.relation, f"SELECT t.* {rows} {there}", clock)
    transaction.drop(staged)
    return int(gone)
