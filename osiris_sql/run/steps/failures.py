"""Keeps the offending rows of a test that stores its failures, also where its model is rolled back."""

from __future__ import annotations

import hashlib

from osiris_sql.protocols import Transaction
from osiris_sql.run.steps.running import Running
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import RelationRef

SCHEMA = "osiris_failures"


def store_failures(running: Running, transaction: Transaction, test: PlannedTest) -> str:
    """Put the rows that a test finds into a table, in a transaction of its own, and return its name."""
    relation = RelationRef(SCHEMA, test.name)
    name = hashlib.sha256(test.name.encode()).hexdigest()[:16]
    path = running.folder / f"failures-{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        transaction.spool_failures(test, running.plan.run_clock, path)
        with running.engine.transaction() as own:
            own.keep_failures(relation, path)
    finally:
        path.unlink(missing_ok=True)
    return str(relation)


def forget_failures(running: Running, transaction: Transaction, test: PlannedTest) -> None:
    """Drop the rows that an earlier run kept: the test passes now."""
    relation = RelationRef(SCHEMA, test.name)
    if transaction.is_table(relation):
        with running.engine.transaction() as own:
            own.drop(relation)
