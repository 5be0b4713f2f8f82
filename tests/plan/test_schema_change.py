"""What a plan says when the definition of an incremental model changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from plan.manifests import SCHEMA, manifest, model

from osiris_sql.plan.planner import make_build_plan
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.observed import Observed, StepState
from osiris_sql.types.relation import Column, TableSchema

SAME = SCHEMA
ADDED = TableSchema(columns=SCHEMA.columns[:1])
REMOVED = TableSchema(columns=(*SCHEMA.columns, Column(name="gone", type="DATE")))
RETYPED = TableSchema(columns=(Column(name="id", type="SMALLINT"), SCHEMA.columns[1]))
KEPT, REBUILT, REFUSED = "kept", "rebuilt", "refused"


def outcome(
    before: TableSchema, *, asked: bool = False, was: str = "incremental", **config
) -> tuple[str, str]:
    log = model("log", "source:shop.orders", materialized="incremental", config=config)
    state = StepState(step="model:log", fingerprint="old", schema=before, materialized=was, run_id="r")
    made = manifest(models=(log,), tests=(), publications=())
    try:
        plan = make_build_plan(
            made,
            Observed(state={"model:log": state}),
            selected=["model:log"],
            run_clock=datetime(2026, 1, 31, tzinfo=UTC),
            full_refresh=asked,
        )
    except ProjectError as error:
        [found] = error.diagnostics
        assert found.rule == "columns-changed"
        return REFUSED, found.message
    [step] = plan.steps
    return (KEPT if step.continues == "old" else REBUILT), step.why


@pytest.mark.parametrize(
    ("mode", "same", "added", "removed", "retyped"),
    [
        ("fail", REBUILT, REFUSED, REFUSED, REFUSED),
        ("append", REBUILT, KEPT, REFUSED, REFUSED),
        ("sync", REBUILT, KEPT, KEPT, KEPT),
        ("rebuild", REBUILT, REBUILT, REBUILT, REBUILT),
    ],
)
def test_modes(mode, same, added, removed, retyped):
    found = [outcome(before, on_schema_change=mode)[0] for before in (SAME, ADDED, REMOVED, RETYPED)]
    assert found == [same, added, removed, retyped]


@pytest.mark.parametrize(
    ("mode", "same", "added"),
    [("fail", KEPT, REFUSED), ("append", KEPT, KEPT), ("sync", KEPT, KEPT), ("rebuild", KEPT, REFUSED)],
)
def test_a_model_that_must_never_be_rebuilt_keeps_its_rows_or_refuses(mode, same, added):
    config = {"on_schema_change": mode, "full_refresh": False}
    assert [outcome(before, **config)[0] for before in (SAME, ADDED)] == [same, added]
    assert outcome(ADDED, asked=True, **config)[0] == added


def test_a_full_refresh_allows_everything():
    assert outcome(RETYPED, asked=True) == (REBUILT, "full refresh asked for")


def test_a_table_that_becomes_incremental_is_built_again():
    assert outcome(ADDED, was="table")[0] == REBUILT


def test_the_change_is_told_column_by_column():
    before = replace(SCHEMA, columns=(Column(name="id", type="SMALLINT"), Column(name="gone", type="DATE")))
    words = "+ extra VARCHAR, - gone, ~ id SMALLINT → INTEGER"
    assert outcome(before) == (REFUSED, f"the columns of the incremental model log changed: {words}")
    assert outcome(before, on_schema_change="sync") == (KEPT, f"columns changed: {words}; its rows are kept")
    rebuilt = f"columns changed: {words}; built again from its beginning"
    assert outcome(before, on_schema_change="rebuild") == (REBUILT, rebuilt)
