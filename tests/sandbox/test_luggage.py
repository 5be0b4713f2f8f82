"""What of the warehouse goes along: what a step that may run reads, and nothing else."""

from dataclasses import replace

import pytest
from run.plans import data_test, model, plan_of

from osiris_sql.launchers.e2b.luggage import pack_luggage
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import DataFingerprint

MB = 1 << 20
# a <- b <- c, and d reads a and b; each has rows worth some megabytes.
SIZES = {"model:a": 5 * MB, "model:b": 3 * MB, "model:c": 2 * MB, "model:d": MB}
INPUTS = {"a": (), "b": ("a",), "c": ("b",), "d": ("a", "b")}
MAYBE = "run if inputs change"


def data(name):
    return DataFingerprint(rows=1, digest=name, algorithm="x")


def remembered(views=(), passed=None):
    return {
        f"model:{name}": StepState(
            step=f"model:{name}",
            fingerprint=name,
            inputs={f"model:{i}": str(data(i)) for i in inputs},
            data=data(name),
            materialized="view" if name in views else "table",
            passed=passed or {},
            run_id="r0",
        )
        for name, inputs in INPUTS.items()
    }


def plan(*, tests=(), incremental=(), select="abcd", **decisions):
    steps = [
        replace(
            model(name, f"SELECT 1 AS {name}", inputs=tuple(i for i in INPUTS[name] if i in select)),
            decision=decisions.get(name, "reuse"),
            inputs=tuple(f"model:{i}" for i in INPUTS[name]),
            tests=tests if name == "d" else (),
            increment_sql="SELECT 1" if name in incremental else None,
            materialized="incremental" if name in incremental else "table",
        )
        for name in select
    ]
    return plan_of(*steps)


def carried(plan, state=None, limit=100 * MB):
    packed = pack_luggage(plan, state or remembered(), SIZES, limit)
    return "".join(node.removeprefix("model:") for node in packed.carried), packed


@pytest.mark.parametrize(
    ("decisions", "goes", "stays"),
    [
        ({}, "", "abcd"),
        ({"c": "run"}, "b", "ad"),
        ({"d": "run"}, "ab", "c"),
        ({"a": "run", "b": MAYBE, "c": MAYBE, "d": MAYBE}, "b", "cd"),
        ({"b": "run", "c": MAYBE, "d": MAYBE}, "a", "cd"),
        ({"a": "run", "b": "run", "c": "run", "d": "run"}, "", ""),
    ],
)
def test_what_a_running_step_reads_goes_and_what_nobody_reads_stays(decisions, goes, stays):
    found, packed = carried(plan(**decisions))
    assert found == goes
    assert packed.left == tuple(f"model:{name}" for name in stays)


def test_what_is_above_the_selection_goes_along_too():
    assert carried(plan(select="d", d="run"))[0] == "ab"


def test_a_view_takes_along_what_it_reads():
    assert carried(plan(c="run"), remembered(views="b"))[0] == "ab"


def test_an_incremental_model_takes_its_own_rows_along():
    assert carried(plan(incremental="c", c="run"))[0] == "bc"


def test_a_data_test_takes_its_rows_along_until_it_has_passed_on_them():
    test = data_test("t", "d", "SELECT 1")
    rows = wire.dump_canonical({"model:d": str(data("d"))})
    assert carried(plan(tests=(test,)))[0] == "d"
    assert carried(plan(tests=(test,)), remembered(passed={test.fingerprint: rows}))[0] == ""


def test_the_biggest_that_does_not_fit_is_built_again_and_its_readers_look():
    found, packed = carried(plan(d="run"), limit=4 * MB)
    assert found == "b"
    assert [step.decision for step in packed.steps] == ["run", MAYBE, MAYBE, "run"]
    assert packed.steps[0].why == "too big to carry (5 MB): built again there"
    assert packed.left == ("model:c",)


@pytest.mark.parametrize("select", ["d", "bd"])
def test_what_can_not_be_built_again_is_refused_with_the_limit(select):
    with pytest.raises(ProjectError) as failed:
        carried(plan(select=select, d="run"), limit=2 * MB)
    [found] = failed.value.diagnostics
    assert found.rule == "too-big-to-carry"
    assert (
        found.message == ("8 MB" if select == "d" else "5 MB") + " of the warehouse would go into the sandbox"
    )
    assert "the limit is 2 MB; the biggest is a, 5 MB" in found.why


def test_a_plan_that_says_what_it_carries_is_left_as_it_is():
    packed = carried(plan(c="run"))[1]
    assert pack_luggage(packed, remembered(), SIZES, 0) is packed
