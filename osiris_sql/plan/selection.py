"""Which nodes a person means: dbt's selection grammar over the nodes of a manifest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from osiris_sql.plan.nodes import Node, node_edges, node_table
from osiris_sql.plan.past import RESULTS, STATES, Past
from osiris_sql.support.dag import invert, reach
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.manifest import Manifest

_TERM = re.compile(
    r"^(?P<at>@)?(?:(?P<above>\d*)\+)?(?:(?P<method>[a-z_]+(?:\.[\w.]+)?):)?(?P<value>[^+]+?)(?:\+(?P<below>\d*))?$"
)
_PAST = re.compile(r"(?:^|[\s,@+])(?:state|result):")
METHODS = (
    "fqn",
    "tag",
    "path",
    "file",
    "source",
    "target",
    "config",
    "test_type",
    "test_name",
    "resource_type",
    "state",
    "result",
)


@dataclass(frozen=True, kw_only=True)
class _Graph:
    nodes: Mapping[str, Node]
    above: Mapping[str, Iterable[str]]
    below: Mapping[str, Iterable[str]]
    past: Past | None


def select_nodes(
    manifest: Manifest, select: Sequence[str], exclude: Sequence[str], past: Past | None = None
) -> list[str]:
    """Return the ids of the selected nodes in build order; nothing selected means everything.

    Words are a union, commas an intersection. A data test is selected with any node that it reads, and
    excluded with the one that it is of.
    `past` is what `state:` and `result:` compare with; they may match nothing.
    Raises ProjectError for a word that matches nothing or can't be read.
    """
    above = node_edges(manifest)
    graph = _Graph(nodes=node_table(manifest), above=above, below=invert(above), past=past)
    chosen = _union(graph, select, _reading) if select else set(graph.nodes)
    chosen -= _union(graph, exclude, _testing)
    return [node for node in graph.nodes if node in chosen]


def asks_past(words: Iterable[str]) -> bool:
    """Say whether a selection compares with an earlier run."""
    return any(_PAST.search(word) for word in words)


def _union(graph: _Graph, words: Sequence[str], tests: Callable[[_Graph, set[str]], set[str]]) -> set[str]:
    """Return what the words mean; `tests` are those that come with the nodes of a term."""
    found: set[str] = set()
    for word in (part for text in words for part in text.split()):
        matches = [_match_term(graph, term) for term in word.split(",")]
        terms = [matched | tests(graph, matched) for matched in matches]
        matched = set.intersection(*terms)
        if not matched and not asks_past([word]):
            raise _nothing(graph, word)
        found |= matched
    return found


def _reading(graph: _Graph, chosen: set[str]) -> set[str]:
    tests = (node.id for node in graph.nodes.values() if node.type == "test")
    return {test for test in tests if not chosen.isdisjoint(graph.above[test])}


def _testing(graph: _Graph, chosen: set[str]) -> set[str]:
    return {node.id for node in graph.nodes.values() if node.tested in chosen}


def _match_term(graph: _Graph, term: str) -> set[str]:
    matched = _TERM.match(term)
    if matched is None:
        raise ProjectError(
            Diagnostic(
                rule="bad-selection",
                message=f'"{term}" is no selection',
                fix='such as "orders", "+orders+", "tag:daily", "path:models/marts", "source:shop.orders"',
            )
        )
    method, _, argument = (matched["method"] or "").partition(".")
    value = matched["value"]
    if method in ("state", "result"):
        start = {n.id for n in graph.nodes.values() if _matches_past(n, graph.past, method, value)}
    else:
        start = {n.id for n in graph.nodes.values() if _matches(n, method, argument, value)}
    if matched["at"]:
        down = start | reach(graph.below, start)
        return down | reach(graph.above, down)
    found = set(start)
    if matched["above"] is not None:
        found |= reach(graph.above, start, int(matched["above"] or 0) or None)
    if matched["below"] is not None:
        found |= reach(graph.below, start, int(matched["below"] or 0) or None)
    return found


def _matches(node: Node, method: str, argument: str, value: str) -> bool:
    if not method:
        method = "path" if "/" in value else "file" if value.endswith((".sql", ".csv")) else "fqn"
    match method:
        case "fqn":
            return fnmatchcase(node.name, value) or fnmatchcase(".".join(node.folders), value)
        case "tag":
            return any(fnmatchcase(tag, value) for tag in node.tags)
        case "path":
            wanted = PurePosixPath(value)
            return wanted == PurePosixPath(node.path) or wanted in PurePosixPath(node.path).parents
        case "file":
            return PurePosixPath(node.path).name == value
        case "source" | "target":
            return node.type == method and (
                fnmatchcase(node.name, value) or fnmatchcase(node.name, f"{value}.*")
            )
        case "config":
            return node.config.get(argument) == value
        case "test_type":
            return node.type == "test" and value in (node.config.get("test_type"), "data")
        case "test_name":
            return node.type == "test" and node.config.get("test_name") == value
        case "resource_type":
            snapshot = node.config.get("materialized") == "snapshot"
            return value == ("snapshot" if snapshot else node.type)
        case _:
            raise ProjectError(
                Diagnostic(
                    rule="unknown-selector",
                    message=f'there is no selection method "{method}"',
                    why=f"methods: {', '.join(METHODS)}",
                )
            )


def _matches_past(node: Node, past: Past | None, method: str, value: str) -> bool:
    known = STATES if method == "state" else RESULTS
    if value not in known:
        message, why = f'there is no {method} "{value}"', f"there are: {', '.join(known)}"
        raise ProjectError(Diagnostic(rule="unknown-selector", message=message, why=why))
    if past is None:
        message = f'"{method}:{value}" has no earlier run to compare with'
        fix = "run a build first, or name a run or a plan file: --state plan.json"
        raise ProjectError(Diagnostic(rule="no-such-run", message=message, fix=fix))
    if method == "result" and past.results is None:
        message = f'"{method}:{value}" asks what a run came to, and a plan says nothing of it'
        raise ProjectError(Diagnostic(rule="no-such-run", message=message, fix="name a run: --state RUN"))
    if method == "result":
        return past.has_result(node.id, value)
    return past.is_state(node.id, node.fingerprint, value)


def _nothing(graph: _Graph, word: str) -> ProjectError:
    names = [node.name for node in graph.nodes.values()]
    return ProjectError(
        Diagnostic(
            rule="nothing-selected",
            message=f'nothing matches "{word}"',
            fix=did_you_mean(word.strip("+@"), names, "`osiris-sql ls` lists what there is"),
        )
    )
