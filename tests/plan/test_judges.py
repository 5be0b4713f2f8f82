"""Who waits for whose data tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan.manifests import data_test, manifest, model, publication

from osiris_sql.plan.planner import make_build_plan
from osiris_sql.plan.selection import select_nodes
from osiris_sql.support.dag import invert, reach
from osiris_sql.types.manifest import CompiledTest
from osiris_sql.types.observed import Observed

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def needs(inputs: Mapping[str, str], *tests: CompiledTest, sent: str = "") -> dict[str, set[str]]:
    """Return what each step of a build waits for; `inputs` are model → models, in build order."""
    made = manifest(
        sources=(),
        models=tuple(model(name, *(f"model:{n}" for n in above)) for name, above in inputs.items()),
        tests=tests,
        publications=tuple(publication(name, of=name) for name in sent),
    )
    plan = make_build_plan(made, Observed(), selected=select_nodes(made, (), ()), run_clock=NOON)
    names = {step.id: step.id.replace("materialize.", "") for step in plan.steps}
    return {names[step.id]: {names[n] for n in step.needs} for step in plan.steps}


def singular(*reads: str) -> CompiledTest:
    """A singular test runs with the last that it reads."""
    nodes = [f"model:{name}" for name in reads]
    return data_test("_".join(reads), nodes[-1], *nodes, test="", about=tuple(nodes))


SIDE_BY_SIDE = {"a": "", "b": "a", "c": "a", "d": "c"}
BEFORE = {"a": "", "c": "a", "b": "ac", "d": "c"}


@pytest.mark.parametrize(
    ("inputs", "test", "waiting"),
    [
        (SIDE_BY_SIDE, data_test("b", "model:b"), {"c": {"a"}, "d": {"c"}, "app.c": {"c"}, "app.d": {"d"}}),
        # What stands below any table of a failed test is not built of its rows,
        (SIDE_BY_SIDE, singular("a", "b"), {"c": {"a", "b"}, "d": {"c"}, "app.c": {"c"}, "app.d": {"d"}}),
        # or, where the test needs it, is built but goes no further.
        (BEFORE, singular("a", "b"), {"c": {"a"}, "d": {"c", "b"}, "app.c": {"c", "b"}, "app.d": {"d"}}),
        # So it is with one that is declared on a table and reads what is made of it.
        (
            BEFORE,
            data_test("c", "model:b", "model:b", "model:c", about=("model:c",)),
            {"c": {"a"}, "d": {"c", "b"}, "app.c": {"c", "b"}, "app.d": {"d"}},
        ),
        # One that is declared on a table says nothing of those that it compares it with.
        (
            SIDE_BY_SIDE,
            data_test("b", "model:b", "model:b", "model:a"),
            {"c": {"a"}, "d": {"c"}, "app.c": {"c"}, "app.d": {"d"}},
        ),
    ],
)
def test_what_is_made_of_rows_waits_for_their_tests(inputs, test, waiting):
    found = needs(inputs, test, sent="cd")
    told = {name.replace("publish.", ""): needed for name, needed in found.items()}
    assert {name: told[name] for name in waiting} == waiting


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Models that read some of those before them, and pairs that singular tests read, in build order."""
    names = "abcdefg"[: draw(st.integers(2, 7))]
    inputs = {
        name: "".join(n for n in names[:place] if draw(st.booleans())) for place, name in enumerate(names)
    }
    pairs = [(first, last) for first in names for last in names if first < last]
    return inputs, draw(st.lists(st.sampled_from(pairs), max_size=4, unique=True))


@given(graphs())
def test_nothing_is_made_of_rows_that_failed_unless_their_test_needs_it(graph):
    inputs, pairs = graph
    found = needs(inputs, *(singular(*pair) for pair in pairs), sent="".join(inputs))
    below = invert(inputs)
    for pair in pairs:
        for row in pair:
            for node in (reach(below, row) | {row}) - {pair[1]}:
                made = () if node == row else (node,)
                for step in (*made, f"publish.app.{node}"):
                    assert pair[1] in reach(found, [step]) or step in reach(found, [pair[1]])
