"""Rows that an extract left at the source, because nobody needed them then."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from plan.manifests import data_test, manifest, model, source

from osiris_sql.plan.planner import finish_plan, make_build_plan, make_check_plan
from osiris_sql.plan.row_filters import holds
from osiris_sql.plan.selection import select_nodes
from osiris_sql.plan.show import preview_steps
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.observed import Elsewhere, Observed, StepState
from osiris_sql.types.project import ExtractConfig
from osiris_sql.types.relation import Comparison, RowFilter

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ID, DAY = (Comparison(column="id", operator=">=", values=(v,)) for v in ("5", "9"))
SOME: RowFilter = ((ID,),)
FEWER: RowFilter = ((ID, DAY),)
OTHERS: RowFilter = ((DAY,),)
ORDERS = "source:shop.orders"


@pytest.mark.parametrize(
    ("held", "needed", "enough"),
    [
        ((), (), True),
        ((), SOME, True),
        (SOME, (), False),
        (SOME, SOME, True),
        (SOME, FEWER, True),
        (FEWER, SOME, False),
        (SOME, OTHERS, False),
        (SOME, (*SOME, *OTHERS), False),
        ((*SOME, *OTHERS), FEWER, True),
    ],
)
def test_rows_read_with_one_filter_are_enough_for_another(held, needed, enough):
    assert holds(held, needed) is enough


def states(filters: RowFilter) -> dict[str, StepState]:
    return {
        ORDERS: StepState(
            step=ORDERS, fingerprint="source orders", filters=filters, watermark="1", run_id="r"
        )
    }


def made(needed: RowFilter, *, mode: str = "full", **more):
    orders = source("orders", filters=needed, extract=ExtractConfig(mode=mode))
    stands = model("stg_orders", ORDERS, materialized="view", filters={ORDERS: needed} if needed else {})
    return manifest(**{"sources": (orders,), "models": (stands,), "tests": (), "publications": (), **more})


def build(project, held: RowFilter, *select: str):
    selected = select_nodes(project, select, ())
    return make_build_plan(project, Observed(state=states(held)), selected=selected, run_clock=NOON)


@pytest.mark.parametrize(
    ("mode", "held", "needed", "why"),
    [
        ("full", SOME, (), "more of its rows are used"),
        ("incremental", SOME, (), "more of its rows are used; read in full"),
        ("incremental", SOME, (*SOME, *OTHERS), "more of its rows are used; read in full"),
        ("incremental", (), SOME, "fewer of its rows are used; read in full"),
    ],
)
def test_the_plan_says_that_a_filter_changed(mode, held, needed, why):
    step = build(made(needed, mode=mode), held).steps[0]
    assert (step.why, step.filters) == (why, needed)


def test_an_ephemeral_model_is_not_shown_from_rows_that_were_left_out():
    orders = source("orders", filters=SOME)
    through = model("through", ORDERS, materialized="ephemeral")
    project = manifest(sources=(orders,), models=(through,), tests=(), publications=())
    with pytest.raises(ProjectError, match="lacks rows that through reads"):
        show(project, SOME, "through")
    assert show(project, (), "through").command == "show"
    assert show(project, SOME, "shop.orders").command == "show"


def show(project, held: RowFilter, name: str):
    return finish_plan(project, Observed(state=states(held)), "show", preview_steps(project, name, 9), NOON)


def test_a_model_is_not_built_of_rows_that_were_left_out():
    with pytest.raises(ProjectError) as caught:
        build(made(()), SOME, "stg_orders")
    [told] = caught.value.diagnostics
    assert (told.rule, told.message) == ("rows-left-out", "shop.orders lacks rows that stg_orders reads")
    assert told.fix == "extract it again: osiris-sql build -s +stg_orders"
    assert build(made(FEWER), SOME, "stg_orders").steps
    assert build(made(()), SOME, "+stg_orders").steps


def test_nor_of_those_of_another_environment():
    elsewhere = Elsewhere(env="prod", warehouse="prod.duckdb", state=states(SOME))
    selected = select_nodes(made(()), ["stg_orders"], ())
    with pytest.raises(ProjectError, match="lacks rows"):
        make_build_plan(made(()), Observed(elsewhere=elsewhere), selected=selected, run_clock=NOON)


def test_a_data_test_reads_all_rows_but_those_that_its_ephemeral_model_leaves_out():
    own, view = data_test("own", ORDERS), data_test("of_view", "model:stg_orders")
    seen = Observed(state=states(SOME))
    with pytest.raises(ProjectError, match="lacks rows that own reads"):
        make_check_plan(made((), tests=(own,)), seen, selected=["test:own"], run_clock=NOON)
    ephemeral = model("stg_orders", ORDERS, materialized="ephemeral", filters={ORDERS: SOME})
    for models in (made(SOME).models, (ephemeral,)):
        project = made(SOME, tests=(view,), models=models)
        assert make_check_plan(project, seen, selected=["test:of_view"], run_clock=NOON).steps
