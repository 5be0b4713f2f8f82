"""Graphs: order, cycles and reach."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_sql.support.dag import find_cycle, invert, reach, sort_nodes

names = st.sampled_from("abcdefgh")
graphs = st.dictionaries(names, st.sets(names))
acyclic = graphs.map(lambda g: {n: {m for m in needs if m < n} for n, needs in g.items()})


@pytest.mark.parametrize(
    ("edges", "order"),
    [
        ({}, []),
        ({"a": []}, ["a"]),
        ({"a": ["b"]}, ["b", "a"]),
        ({"c": [], "a": [], "b": []}, ["a", "b", "c"]),
        ({"a": ["z"], "b": [], "z": []}, ["b", "z", "a"]),
        ({"a": ["b", "b"]}, ["b", "a"]),
    ],
)
def test_nodes_come_after_what_they_need_ties_by_name(edges, order):
    assert sort_nodes(edges) == order


@given(acyclic)
def test_order_holds_every_node_once_after_its_needs(edges):
    order = sort_nodes(edges)
    assert sorted(order) == sorted(set(edges) | {n for needs in edges.values() for n in needs})
    assert all(order.index(need) < order.index(node) for node, needs in edges.items() for need in needs)


@given(acyclic, st.randoms())
def test_order_does_not_depend_on_how_the_graph_was_written(edges, random):
    shuffled = list(edges.items())
    random.shuffle(shuffled)
    assert sort_nodes(dict(shuffled)) == sort_nodes(edges)


@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ({"a": ["b"], "b": []}, None),
        ({"a": ["a"]}, ["a", "a"]),
    ],
)
def test_a_cycle_is_shown_closed(edges, cycle):
    assert find_cycle(edges) == cycle


@given(graphs)
def test_a_cycle_runs_along_the_edges(edges):
    cycle = find_cycle(edges)
    loops = any(node in reach(edges, [node]) for node in edges)
    assert loops == (cycle is not None)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(need in edges[node] for node, need in pairwise(cycle))


@pytest.mark.parametrize(
    ("start", "depth", "found"),
    [
        ("a", None, {"b", "c", "d"}),
        ("a", 0, set()),
        ("a", 1, {"b"}),
        ("a", 2, {"b", "c", "d"}),
        ("d", None, set()),
        ("nowhere", None, set()),
    ],
)
def test_reach_is_bounded_by_depth(start, depth, found):
    edges = {"a": ["b"], "b": ["c", "d"], "c": ["d"], "d": []}
    assert reach(edges, [start], depth) == found


def test_reach_ends_on_a_cycle_and_counts_its_start():
    assert reach({"a": ["b"], "b": ["a"]}, ["a"]) == {"a", "b"}


@given(graphs)
def test_inverting_turns_every_edge(edges):
    turned = invert(edges)
    assert {(a, b) for a, needs in edges.items() for b in needs} == {
        (a, b) for b, users in turned.items() for a in users
    }
    assert set(turned) == set(edges) | {n for needs in edges.values() for n in needs}
