"""Directed acyclic graphs over strings: order and reach."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush


def find_cycle(edges: Mapping[str, Iterable[str]]) -> list[str] | None:
    """Return the nodes of one cycle (the first repeated at the end), or None; edges are node → needs."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        path: list[str] = error.args[1]
        return path[::-1]
    return None


def sort_nodes(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the nodes so that each comes after what it needs, ties by name; edges are node → needs.

    A node that only appears as somebody's need is included. The graph must have no cycle.
    """
    needs = {node: set(above) for node, above in edges.items()}
    for node in {n for above in needs.values() for n in above} - needs.keys():
        needs[node] = set()
    below: dict[str, list[str]] = {node: [] for node in needs}
    for node, above in needs.items():
        for parent in above:
            below[parent].append(node)
    waiting = {node: len(above) for node, above in needs.items()}
    ready = [node for node, count in waiting.items() if not count]
    heapify(ready)
    order: list[str] = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for child in below[node]:
            waiting[child] -= 1
            if not waiting[child]:
                heappush(ready, child)
    return order


def reach(edges: Mapping[str, Iterable[str]], start: Iterable[str], depth: int | None = None) -> set[str]:
    """Return the nodes reached from `start` along `edges` within `depth` steps, `start` left out
    unless it is reached again."""
    found: set[str] = set()
    wave = set(start)
    while wave and depth != 0:
        wave = {n for node in wave for n in edges.get(node, ())} - found
        found |= wave
        depth = None if depth is None else depth - 1
    return found


def invert(edges: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return the same graph with every edge turned round; every node is a key."""
    turned: dict[str, set[str]] = {node: set() for node in edges}
    for node, above in edges.items():
        for parent in above:
            turned.setdefault(parent, set()).add(node)
    return turned
