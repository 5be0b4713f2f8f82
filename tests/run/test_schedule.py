"""The bookkeeping of the loop."""

import pytest

from osiris_sql.run.schedule import Schedule
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.plan import Extract, Probe, Publish
from osiris_sql.types.relation import RelationRef

HERE = Location(path="x")


def step(name: str, *needs: str) -> Probe:
    return Probe(id=name, node=name, needs=needs, why="", connection="c", role="source", location=HERE)


def extract(name: str, connection: str, *needs: str) -> Extract:
    return Extract(
        id=name,
        node=name,
        needs=needs,
        decision="run",
        why="",
        relation=RelationRef("s", name),
        connection=connection,
        identifier=name,
        columns=(),
        fingerprint="",
        location=HERE,
    )


def publish(name: str, connection: str, *needs: str) -> Publish:
    return Publish(
        id=name,
        node=name,
        needs=needs,
        why="",
        input="model:m",
        relation=RelationRef("main", "m"),
        connection=connection,
        target=connection,
        table=name,
        mode="replace",
        columns=(),
        fingerprint="",
        location=HERE,
    )


def drain(schedule: Schedule, failing: set[str]) -> list[str]:
    order = []
    while schedule.ready:
        started = schedule.start()
        order.append(started.id)
        schedule.finish(started, ok=started.id not in failing)
    return order


def test_steps_start_in_the_order_of_the_plan_once_their_needs_are_met():
    assert drain(Schedule([step("b"), step("c", "a", "b"), step("a")]), set()) == ["b", "a", "c"]


def test_a_failure_leaves_what_stands_below_and_nothing_else():
    schedule = Schedule([step("a"), step("b", "a"), step("c", "b"), step("d")])
    assert drain(schedule, {"a"}) == ["a", "d"]
    assert [(s.id, schedule.why_left(s)) for s in schedule.left()] == [
        ("b", "needs a, which failed"),
        ("c", "needs a, which failed"),
    ]


def test_a_step_with_two_needs_is_left_when_one_fails_before_the_other_succeeds():
    schedule = Schedule([step("a"), step("b"), step("c", "a", "b")])
    assert drain(schedule, {"a"}) == ["a", "b"]
    assert [s.id for s in schedule.left()] == ["c"]


def test_needs_outside_the_plan_are_met():
    assert drain(Schedule([step("b", "not-here")]), set()) == ["b"]


def test_stop_starts_nothing_more():
    schedule = Schedule([step("a"), step("b")])
    schedule.start()
    schedule.stop()
    assert not schedule.ready
    assert schedule.why_left(schedule.left()[0]) == "the run was stopped before it"


def test_a_source_is_read_until_its_last_extract_has_ended_or_can_never_start():
    schedule = Schedule([extract("a", "shop"), extract("b", "shop", "p"), step("p")])
    schedule.finish(schedule.start(), ok=True)
    assert schedule.still_reads("shop")
    probe = schedule.start()
    schedule.finish(probe, ok=False)
    assert not schedule.still_reads("shop")


def test_publications_over_one_connection_go_one_after_another_in_the_order_of_the_plan():
    schedule = Schedule([publish("a", "app", "m"), publish("b", "app"), publish("c", "other"), step("m")])
    others = [schedule.start(), schedule.start()]
    assert [started.id for started in others] == ["c", "m"]
    assert not schedule.ready
    for started in others:
        schedule.finish(started, ok=True)
    first = schedule.start()
    assert (first.id, schedule.ready) == ("a", False)
    schedule.finish(first, ok=False)
    assert drain(schedule, set()) == ["b"]


@pytest.mark.parametrize("failing", ["m", "n"])
def test_a_publication_does_not_wait_for_one_that_will_never_start(failing):
    steps = [step("m"), step("n", "m"), publish("a", "app", "n"), publish("b", "app"), publish("c", "app")]
    left = {"m": ["n", "a"], "n": ["a"]}[failing]
    schedule = Schedule(steps)
    assert drain(schedule, {failing}) == [s.id for s in steps if s.id not in left]
    assert [s.id for s in schedule.left()] == left
