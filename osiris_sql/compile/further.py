"""Finds the other wrong names of a query: DuckDB's binder stops at the first one."""

import re
from collections.abc import Callable
from dataclasses import replace

from osiris_sql.compile.columns import BinderError
from osiris_sql.compile.places import Problem

_MOST = 20
_NAMES = ("unknown-column", "unknown-function", "unknown-relation")
_QUALIFIER = re.compile(r'(?:(?:"(?:[^"]|"")*"|\w+)\s*\.\s*)+$')
_REST = re.compile(r'(?:\s*\.\s*(?:"(?:[^"]|"")*"|\w+))*')


def wrong_names(bind: Callable[[str], object], sql: str, first: Problem) -> list[Problem]:
    """Return the first problem of a query, and those that come up when NULL stands where each name stood.

    A name that is wrong once more, as in a query that reads what it should have given, is told once.
    """
    found, edits, text, problem = [first], [], sql, first
    told = {_name(sql, first)}
    for _ in range(_MOST):
        if problem.rule not in _NAMES or problem.start is None:
            break
        start, end = _extent(text, problem)
        edits.append((start, 4 - (end - start)))
        text = f"{text[:start]}NULL{text[end:]}"
        try:
            bind(text)
            break
        except BinderError as error:
            problem = error.problem
        name = _name(text, problem)
        if problem.rule in _NAMES and problem.start is not None and name not in told:
            told.add(name)
            found.append(_moved(problem, edits))
    return found


def _name(text: str, problem: Problem) -> str:
    start = problem.start or 0
    return text[start : start + problem.length].lower().strip('"')


def _extent(text: str, problem: Problem) -> tuple[int, int]:
    """Return where a wrong name begins and ends, with what qualifies it, or with a function's arguments."""
    start = problem.start or 0
    end = start + problem.length
    before = _QUALIFIER.search(text, 0, start)
    after = _REST.match(text, end)
    start, end = before.start() if before else start, after.end() if after else end
    if problem.rule == "unknown-function":
        end = _close(text, text.find("(", end)) + 1
    return start, end


def _close(text: str, opened: int) -> int:
    """Return where a parenthesis is closed again; texts in quotes may hold others."""
    depth, quoted = 0, False
    for index in range(max(opened, 0), len(text)):
        quoted ^= text[index] == "'"
        depth += 0 if quoted else (text[index] == "(") - (text[index] == ")")
        if not depth:
            return index
    return len(text) - 1


def _moved(problem: Problem, edits: list[tuple[int, int]]) -> Problem:
    """Return a problem where it stands in the text as it was before it was edited."""
    start = problem.start or 0
    for place, longer in reversed(edits):
        start -= longer if start > place else 0
    return replace(problem, start=start)
