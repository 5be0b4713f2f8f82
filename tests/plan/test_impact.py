"""What `plan` says about a change of columns: breaking if somebody reads what went or changed its type."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from plan.manifests import data_test, manifest, model, publication

from osiris_sql.plan.planner import make_build_plan
from osiris_sql.types.observed import Observed, StepState
from osiris_sql.types.relation import Column, TableSchema

NONBREAKING = "non-breaking: nobody reads what changed"
MODELS = (
    model("a", "source:shop.orders"),
    model("reads_id", "model:a", reads={"model:a": ("ID",)}),
    model("reads_all", "model:reads_id"),
)


def impact(before: str, *, node: str = "a", **more) -> str:
    pairs = [part.strip().split(" ") for part in before.split(",")]
    schema = TableSchema(columns=tuple(Column(name=n, type=t) for n, t in pairs))
    state = StepState(step=f"model:{node}", fingerprint="old", schema=schema, run_id="r")
    made = manifest(**{"models": MODELS, "tests": (), "publications": (), **more})
    plan = make_build_plan(
        made,
        Observed(state={state.step: state}),
        selected=[f"model:{node}"],
        run_clock=datetime(2026, 1, 31, tzinfo=UTC),
    )
    return plan.steps[0].impact


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("id INTEGER, extra VARCHAR", ""),
        ("id INTEGER", NONBREAKING),
        ("id INTEGER, extra DATE", NONBREAKING),
        ("id INTEGER, extra VARCHAR, gone DATE", NONBREAKING),
        ("id BIGINT, extra VARCHAR", "breaking: id has another type, read by reads_id"),
    ],
)
def test_the_columns_that_a_model_reads(before, said):
    assert impact(before) == said


def test_where_reads_can_not_be_told_all_are_assumed():
    found = impact("id INTEGER, extra VARCHAR, gone DATE", node="reads_id")
    assert found == "breaking: gone is gone, read by reads_all"


def test_a_publication_sends_every_column():
    found = impact("id INTEGER, extra VARCHAR, gone DATE", publications=(publication("t", of="a"),))
    assert found == "breaking: gone is gone, read by app.t"


def test_data_tests_read_too():
    test = data_test("unique_a", "model:a", columns_read={"model:a": ("extra",)})
    assert (
        impact("id INTEGER, extra DATE", tests=(test,))
        == "breaking: extra has another type, read by unique_a"
    )
