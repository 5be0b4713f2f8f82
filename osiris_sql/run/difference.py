"""What the publications of a plan would change, from the rows that the warehouse holds; nothing is built."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from osiris_sql.protocols import Engine, Load, Target
from osiris_sql.run.connections import Connections, check_environ, hash_endpoint
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.steps.added import Part, added_parts
from osiris_sql.run.steps.spooling import identify_rows, spooled
from osiris_sql.support.interrupts import run_interruptibly
from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import Redactor
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.difference import PublicationDifference
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Materialize, Plan, Publish
from osiris_sql.types.relation import DataFingerprint, TableSchema

SAMPLES = 5


def diff_publications(
    plan: Plan, root: Path, environ: Mapping[str, str], *, samples: int = SAMPLES
) -> tuple[PublicationDifference, ...]:
    """Return what each publication of the plan would change now, in the order of the plan."""
    steps = [step for step in plan.steps if isinstance(step, Publish)]
    used = [c for c in plan.connections if ("target", c.name) in {("target", s.connection) for s in steps}]
    ends = Connections([c for c in used if c.role == "target"], environ, root, Redactor(), plan.endpoints)
    try:
        check_environ([c for c in used if c.role == "target"], environ)
        with _opened(plan, root) as engine:

            def interrupt() -> None:
                ends.interrupt()
                if engine:
                    engine.interrupt()

            def compare() -> tuple[PublicationDifference, ...]:
                return tuple(_difference(plan, engine, ends.target(s.connection), s, samples) for s in steps)

            return run_interruptibly(compare, interrupt)
    finally:
        ends.close()


@contextmanager
def _opened(plan: Plan, root: Path) -> Iterator[Engine | None]:
    """The warehouse, for reading; None if nothing was ever built."""
    warehouse = root / plan.warehouse
    if not warehouse.exists():
        yield None
        return
    with hold_warehouse(warehouse, "plan --diff"):
        engine: Engine = load_plugin("engines", plan.engine)(warehouse, plan.engine_settings, read_only=True)
        try:
            yield engine
        finally:
            engine.close()


def _difference(
    plan: Plan, engine: Engine | None, target: Target, step: Publish, samples: int
) -> PublicationDifference:
    notes = tuple(_note(plan, step))
    found = PublicationDifference(step=step.id, mode=step.mode, notes=notes, location=step.location)
    if why := _why_not(engine, step):
        return replace(found, why=why)
    assert engine is not None  # or there was a reason
    try:
        known = engine.read_state()
        data = identify_rows(engine, step, known.get(step.input))
        part = _part(engine, step, target, data, known.get(step.node))
        with (
            tempfile.TemporaryDirectory(prefix="osiris-diff-") as folder,
            spooled(engine, step, target.spool(step), Path(folder) / "spool", part) as path,
        ):
            load = Load(load_id="", run_id="", data=data, path=path, rows=part.rows)
            return replace(found, rows=data.rows, difference=target.compare(step, load, samples))
    except StepError as error:
        return replace(found, why="it would be refused", refusals=error.diagnostics)


def _part(
    engine: Engine, step: Publish, target: Target, data: DataFingerprint, state: StepState | None
) -> Part:
    """The rows that a build would send, however many deliveries that takes."""
    if not step.series:
        return Part(data=data)
    here = state if state and state.endpoint == hash_endpoint(target.endpoint()) else None
    parts = added_parts(engine, step, target, data, target.observe(step).latest_load, here)
    first = parts[0].places
    return Part(data=data, places=range(first.start if first else 0, data.rows))


def _note(plan: Plan, step: Publish) -> Iterator[str]:
    """Say where a build would deliver other rows than those that are compared."""
    above = next((s for s in plan.steps if isinstance(s, Materialize) and s.node == step.input), None)
    if above and above.decision != "reuse":
        yield f"compared are the rows of the last build; {step.relation.name} may be built again: {above.why}"


def _why_not(engine: Engine | None, step: Publish) -> str:
    """Why there are no rows to compare, if there are none."""
    name = step.relation.name
    if engine is None:
        return f"{name} is not built yet"
    with engine.transaction() as transaction:
        there = transaction.schema_of(step.relation)
    if there is None:
        return f"{name} is not built yet"
    if _types(there) != _types(TableSchema(columns=step.columns)):
        return f"the columns of {name} have changed since it was built"
    return ""


def _types(schema: TableSchema) -> list[tuple[str, str]]:
    return [(column.name, column.type) for column in schema.columns]
