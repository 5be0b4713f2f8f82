"""Plans written by hand: steps over plain SQL, with what a test does not care about filled in."""

from __future__ import annotations

import hashlib
from pathlib import Path

from osiris_sql.run.execute import execute
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.event import Event
from osiris_sql.types.plan import Materialize, Plan, PlannedTest, Step
from osiris_sql.types.relation import Column, RelationRef, TableSchema
from osiris_sql.types.result import RunResult, fold_events
from osiris_sql.types.settings import PINNED_SETTINGS

CLOCK = "2026-01-31T12:00:00+00:00"


def model(
    name: str, sql: str, *, columns: str = "id INTEGER", inputs: tuple[str, ...] = (), **more
) -> Materialize:
    """A model's step; `columns` is `name TYPE, ...`, `inputs` are names of other models."""
    pairs = [part.strip().split(" ", 1) for part in columns.split(",")]
    values = {
        "id": f"materialize.{name}",
        "node": f"model:{name}",
        "needs": tuple(f"materialize.{i}" for i in inputs),
        "inputs": tuple(f"model:{i}" for i in inputs),
        "decision": "run",
        "why": "test",
        "relation": RelationRef("main", name),
        "materialized": "table",
        "sql": sql,
        "schema": TableSchema(columns=tuple(Column(name=n, type=t) for n, t in pairs)),
        "fingerprint": hashlib.sha256(f"{sql}{more}".encode()).hexdigest(),
        "location": Location(path=f"models/{name}.sql"),
        **more,
    }
    return Materialize(**values)


def data_test(name: str, on: str, sql: str, **more) -> PlannedTest:
    """A data test on a model."""
    return PlannedTest(
        name=name,
        test=name,
        node=f"model:{on}",
        sql=sql,
        reads=(f"model:{on}",),
        fingerprint=hashlib.sha256(sql.encode()).hexdigest(),
        location=Location(path="models/models.yml", line=3),
        **more,
    )


def plan_of(*steps: Step, **more) -> Plan:
    """A plan of these steps."""
    values = {
        "project": "test",
        "env": "dev",
        "command": "build",
        "warehouse": ".osiris/dev.duckdb",
        "engine_settings": dict(PINNED_SETTINGS),
        "versions": {},
        "run_clock": CLOCK,
        "connections": (),
        "steps": steps,
        **more,
    }
    return Plan(**values)


class Collected:
    """A sink that keeps its events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass


def run(plan: Plan, root: Path, environ: dict[str, str] | None = None, **more) -> RunResult:
    """Run a plan in a folder and fold its events."""
    sink = Collected()
    execute(plan, root, environ or {}, [sink], run_id="r1", launcher="local", **more)
    return fold_events(sink.events)


def statuses(result: RunResult) -> dict[str, str]:
    """Step → status."""
    return {step.step.partition(".")[2]: step.status for step in result.steps}


def rows(root: Path, relation: str) -> list[tuple]:
    """The rows of a relation, in order."""
    import duckdb

    with duckdb.connect(str(root / ".osiris" / "dev.duckdb")) as connection:
        return connection.execute(f"SELECT * FROM {relation} ORDER BY ALL").fetchall()
