"""Finds what else is wrong in a query: DuckDB's binder stops at the first mistake."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.compile.extent import NAMES, find_extent
from osiris_sql.compile.known import Readable
from osiris_sql.compile.places import Problem
from osiris_sql.types.diagnostic import Diagnostic

_MOST = 20
_REPLACEABLE = NAMES | {"type-mismatch", "misplaced-aggregate", "invalid-query"}
_SURE = frozenset({"unknown-function", "unknown-type", "type-mismatch", "misplaced-aggregate"})
_GROUPED_BY_NULL = re.compile(r"\b(?i:group\s+by)\b.*\bNULL\b", re.DOTALL)


def tell_all(
    readable: Readable, path: str, binder: Binder, found: list[Diagnostic], *, is_open: bool = False
) -> None:
    """Add to `found` all that DuckDB has against a query; one that `is_open` reads unknown tables too."""
    bind = partial(binder.bind, in_scope=readable.scope)
    try:
        bind(readable.query.sql)
    except BinderError as error:
        problems = all_problems(bind, readable.query.sql, error.problem, is_open=is_open)
        told = {(diagnostic.rule, diagnostic.location) for diagnostic in found}
        said = [problem.at(readable.locate, path) for problem in problems]
        found += [diagnostic for diagnostic in said if (diagnostic.rule, diagnostic.location) not in told]


def all_problems(
    bind: Callable[[str], object], sql: str, problem: Problem, *, is_open: bool = False
) -> list[Problem]:
    """Return the first problem of a query, and those that come up when NULL stands where each stood.

    What is wrong once more, as a name in a query that reads what it should have given, is told once. It ends
    with a mistake that has no such place. In a query that `is_open` any name may be one of an unknown table.
    """
    found: list[Problem] = []
    edits: list[tuple[int, int]] = []
    text, told = sql, set[str]()
    while len(edits) < _MOST:
        is_known = not is_open or _is_sure(problem, text)
        if is_known and (not edits or (not _is_ours(problem, text) and _is_new(problem, text, told))):
            told |= {_words(text, problem), problem.message}
            found.append(_moved(problem, edits))
        stand_in = '"NULL"' if problem.rule == "unknown-type" else "NULL"
        start, end = _extent(text, problem) or (0, 0)
        if start == end or text[start:end] == stand_in:
            break
        edits.append((start, len(stand_in) - (end - start)))
        text = f"{text[:start]}{stand_in}{text[end:]}"
        try:
            bind(text)
            break
        except BinderError as error:
            problem = error.problem
    return found


def _extent(text: str, problem: Problem) -> tuple[int, int] | None:
    return find_extent(text, problem) if problem.rule in _REPLACEABLE else None


def _is_ours(problem: Problem, text: str) -> bool:
    """Say whether a problem may come of the NULL that we put in: its type, or an ORDER BY it."""
    if problem.rule == "not-grouped":
        return _GROUPED_BY_NULL.search(text) is not None
    is_null = '"NULL"' in problem.message or text.startswith("NULL", problem.start or 0)
    return is_null or problem.rule not in _REPLACEABLE


def _is_sure(problem: Problem, text: str) -> bool:
    """Say whether no table that is not known can make a problem go away."""
    qualified = bool(problem.why) and text[: problem.start].rstrip().endswith(".")
    return problem.rule in _SURE or (problem.rule == "unknown-column" and qualified)


def _is_new(problem: Problem, text: str, told: set[str]) -> bool:
    """Say whether a problem was not told yet: a name that another table lacks too is another one."""
    table_lacks = bool(problem.why) and " has no column " in problem.message and problem.message not in told
    return problem.start is not None and (table_lacks or _words(text, problem) not in told)


def _words(text: str, problem: Problem) -> str:
    """Return what a problem is about, as it is written."""
    start = problem.start or 0
    extent = None if problem.rule in NAMES else _extent(text, problem)
    start, end = extent or (start, start + problem.length)
    return text[start:end].lower().strip('"')


def _moved(problem: Problem, edits: list[tuple[int, int]]) -> Problem:
    """Return a problem where it stands in the text as it was before it was edited."""
    start = problem.start
    for place, longer in reversed(edits):
        start = start if start is None or start <= place else start - longer
    return replace(problem, start=start)
