"""From a manifest and what was observed to a plan."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from plan.manifests import data_test, manifest, model, source

from osiris_sql.plan.planner import make_build_plan, make_check_plan
from osiris_sql.plan.selection import select_nodes
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.observed import Observed, ObservedSource, ObservedTarget, StepState
from osiris_sql.types.project import ExtractConfig
from osiris_sql.types.relation import DataFingerprint

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def plan(made=None, observed=None, select=(), **more):
    made = made or manifest()
    selected = select_nodes(made, select, ())
    return make_build_plan(made, observed or Observed(), selected=selected, run_clock=NOON, **more)


def step(made, name):
    return next(s for s in made.steps if s.id == name)


def data(name: str) -> DataFingerprint:
    return DataFingerprint(rows=1, digest=name, algorithm="a")


def built() -> dict[str, StepState]:
    """The state after a build of everything."""
    inputs = {
        "source:shop.customers": (),
        "source:shop.orders": (),
        "model:stg_customers": ("source:shop.customers",),
        "model:stg_orders": ("source:shop.orders",),
        "model:revenue": ("model:stg_customers", "model:stg_orders"),
    }
    states = {
        node: StepState(
            step=node,
            fingerprint=node.replace(":", " ").replace("shop.", ""),
            inputs={above: str(data(above)) for above in needs},
            data=data(node),
            change="c1",
            run_id="r",
        )
        for node, needs in inputs.items()
    }
    sent = StepState(
        step="target:app.revenue", fingerprint="", data=data("model:revenue"), change="load1", run_id="r"
    )
    return {**states, "target:app.revenue": sent}


def seen(**changes: str | None) -> Observed:
    tokens = {"customers": "c1", "orders": "c1", **changes}
    return Observed(
        state=built(),
        sources={
            f"source:shop.{n}": ObservedSource(node=f"source:shop.{n}", change=c) for n, c in tokens.items()
        },
        targets={
            "target:app.revenue": ObservedTarget(
                node="target:app.revenue", schema=None, kind="table", latest_load="load1"
            )
        },
    )


def test_steps_come_in_build_order_with_their_needs_and_ephemeral_models_have_none():
    assert [(s.id, s.needs) for s in plan().steps] == [
        ("extract.shop.customers", ()),
        ("materialize.stg_customers", ("extract.shop.customers",)),
        ("extract.shop.orders", ()),
        ("materialize.stg_orders", ("extract.shop.orders", "materialize.stg_customers")),
        ("materialize.revenue", ("materialize.stg_customers", "materialize.stg_orders")),
        ("publish.app.revenue", ("materialize.revenue",)),
    ]


def test_only_used_columns_are_extracted():
    assert [c.name for c in step(plan(), "extract.shop.orders").columns] == ["id"]


def test_a_test_runs_inside_the_step_of_its_node_and_waits_for_all_that_it_reads():
    made = step(plan(), "materialize.stg_orders")
    assert [t.name for t in made.tests] == ["orders_have_customers"]
    assert "materialize.stg_customers" in made.needs


def test_nodes_whose_tests_read_each_other_are_built_and_then_tested():
    orders, customers = "model:stg_orders", "model:stg_customers"
    tests = (
        data_test("every_customer_ordered", customers, customers, orders),
        data_test("orders_have_customers", orders, orders, customers),
        data_test("orders_differ", orders),
    )
    made = plan(manifest(tests=tests))
    apart = [s for s in made.steps if s.id.startswith("check.")]
    assert {s.id for s in made.steps} == {s.id for s in plan().steps} | {s.id for s in apart}
    assert [(s.id, [t.name for t in s.tests]) for s in apart] == [
        ("check.stg_orders", ["orders_have_customers"])
    ]
    assert apart[0].needs == ("materialize.stg_customers", "materialize.stg_orders")
    assert [t.name for t in step(made, "materialize.stg_orders").tests] == ["orders_differ"]
    # A failure stops what stands below.
    assert "check.stg_orders" in step(made, "materialize.revenue").needs


def test_a_selected_test_whose_node_is_not_selected_gets_a_step_of_its_own():
    made = plan(select=["stg_customers"])
    assert [s.id for s in made.steps] == ["materialize.stg_customers", "check.stg_orders"]
    assert step(made, "check.stg_orders").needs == ("materialize.stg_customers",)


def test_a_model_alone_is_not_published():
    assert [s.id for s in plan(select=["revenue"]).steps] == ["materialize.revenue"]
    assert [s.id for s in plan(select=["revenue+"]).steps] == ["materialize.revenue", "publish.app.revenue"]


def decisions(made) -> dict[str, tuple[str, str]]:
    return {s.id.partition(".")[2]: (s.decision, s.why) for s in made.steps}


def test_nothing_new_reuses_everything():
    assert {d for d, _ in decisions(plan(observed=seen())).values()} == {"reuse"}


def test_new_rows_at_a_source_let_what_stands_below_wait():
    found = decisions(plan(observed=seen(orders="c2")))
    assert found["shop.orders"] == ("run", "new rows")
    assert found["stg_orders"] == ("run if inputs change", "waits for shop.orders")
    assert found["stg_customers"][0] == "reuse"
    assert found["revenue"] == ("run if inputs change", "waits for stg_orders")
    assert found["app.revenue"] == ("run if inputs change", "waits for revenue")


def test_a_source_that_can_not_tell_is_read():
    found = decisions(plan(observed=seen(orders=None)))
    assert found["shop.orders"] == ("run", "whether its rows changed can't be told without reading them")


@pytest.mark.parametrize(
    ("change", "node", "why"),
    [
        ({"fingerprint": "old"}, "model:revenue", "SQL or configuration changed"),
        ({"clock": "2026-01-30"}, "model:revenue", "the clock moved"),
        ({"inputs": {}}, "model:revenue", "it reads other relations"),
        ({"fingerprint": "old"}, "source:shop.orders", "its columns or its configuration changed"),
    ],
)
def test_why_a_step_runs(change, node, why):
    observed = seen()
    state = {**observed.state, node: replace(observed.state[node], **change)}
    found = decisions(plan(observed=replace(observed, state=state)))
    assert found[node.partition(":")[2]] == ("run", why)


def test_rows_that_changed_upstream_since_the_last_build_are_named():
    observed = seen()
    moved = replace(observed.state["model:stg_orders"], data=data("other"))
    found = decisions(plan(observed=replace(observed, state={**observed.state, "model:stg_orders": moved})))
    assert found["revenue"] == ("run", "upstream changed: stg_orders")


def test_full_refresh_runs_everything_and_a_model_may_refuse():
    assert {s.decision for s in plan(observed=seen(), full_refresh=True).steps[:-1]} == {"run"}
    kept = manifest(
        models=(model("log", "source:shop.orders", config={"full_refresh": False}),),
        tests=(),
        publications=(),
    )
    assert not step(plan(kept, full_refresh=True), "materialize.log").full_refresh


def test_an_incremental_extract_says_from_where():
    table = source("orders", extract=ExtractConfig(mode="incremental", watermark="id", key=("id",)))
    made = manifest(sources=(source("customers"), table))
    observed = seen(orders=None)
    state = replace(observed.state["source:shop.orders"], watermark="41")
    observed = replace(observed, state={**observed.state, "source:shop.orders": state})
    assert decisions(plan(made, observed))["shop.orders"] == ("run", "new rows since id = 41")
    assert step(plan(made, observed, full_refresh=True), "extract.shop.orders").mode == "full"


def test_a_target_that_holds_another_publication_is_published_again():
    observed = seen()
    target = replace(observed.targets["target:app.revenue"], latest_load="somebody-else")
    found = decisions(plan(observed=replace(observed, targets={"target:app.revenue": target})))
    assert found["app.revenue"] == ("run", "the target holds another publication")


def test_a_target_that_can_not_take_the_rows_is_an_error_before_anything_runs():
    found = Diagnostic(rule="missing-column", message='app.revenue has no column "extra"')
    target = replace(seen().targets["target:app.revenue"], diagnostics=(found,))
    observed = replace(seen(), targets={"target:app.revenue": target})
    with pytest.raises(ProjectError) as raised:
        plan(observed=observed)
    assert raised.value.diagnostics == (found,)
    assert plan(observed=observed, select=["revenue"]).steps


@pytest.mark.parametrize(
    ("grain", "clock"),
    [("day", "2026-01-31"), ("hour", "2026-01-31T12"), ("instant", "2026-01-31T12:00:00+00:00")],
)
def test_a_model_carries_the_clock_at_the_grain_that_it_reads(grain, clock):
    made = manifest(models=(model("m", "source:shop.orders", clock=grain),), tests=(), publications=())
    assert step(plan(made), "materialize.m").clock == clock


def test_connections_are_those_of_the_steps_with_their_variables_by_name():
    made = plan()
    assert [(c.role, c.name, c.env_names) for c in made.connections] == [
        ("source", "shop", ("SHOP_HOST",)),
        ("target", "app", ()),
    ]
    assert plan(select=["revenue"]).connections == ()


def test_a_check_plan_has_only_checks():
    made = manifest(tests=(data_test("t", "model:revenue"),))
    steps = make_check_plan(made, Observed(), selected=["test:t"], run_clock=NOON).steps
    assert [(s.kind, s.id, [t.name for t in s.tests]) for s in steps] == [("check", "check.revenue", ["t"])]


def test_the_plan_is_the_same_bytes_in_any_process():
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from plan.test_planner import plan, seen\n"
        "from osiris_sql.support import wire\n"
        "sys.stdout.write(wire.to_document(plan(observed=seen(orders='c2'))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, locale in (("0", "C"), ("1", "C.UTF-8"), ("7", "POSIX"))
    }
    assert texts == {wire.to_document(plan(observed=seen(orders="c2")))}


def test_offline_says_what_it_can_not_decide():
    observed = replace(seen(), sources={}, targets={}, offline=True)
    found = decisions(plan(observed=observed))
    assert found["shop.orders"] == ("run if inputs change", "undecided: offline, the source was not asked")
    assert found["revenue"] == ("run if inputs change", "waits for stg_customers, stg_orders")
    assert found["app.revenue"] == ("run if inputs change", "undecided: offline, the target was not asked")


def test_what_is_published_without_being_built_must_have_passed_its_tests():
    sent = plan(select=["target:app"])
    assert [(s.id, s.decision) for s in sent.steps] == [
        ("check.revenue", "run if inputs change"),
        ("publish.app.revenue", "run"),
    ]
    assert step(sent, "publish.app.revenue").needs == ("check.revenue",)
