"""Finds what else is wrong in a query: DuckDB's binder stops at the first mistake."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot.tokenizer_core import Token, TokenType

from osiris_sql.compile.columns import BinderError
from osiris_sql.compile.places import Problem
from osiris_sql.compile.tokens import tokenize

_MOST = 20
_NAMES = ("unknown-column", "unknown-function", "unknown-relation")
_EXPRESSIONS = ("type-mismatch", "misplaced-aggregate")
_QUALIFIER = re.compile(r'(?:(?:"(?:[^"]|"")*"|\w+)\s*\.\s*)+$')
_REST = re.compile(r'(?:\s*\.\s*(?:"(?:[^"]|"")*"|\w+))*')
_CALLED = re.compile(r"\w+\s*\(")
_BEHIND_CALL = re.compile(r"\s*(?:filter|over|within\s+group)\s*(?=\()", re.IGNORECASE)
_OPENING, _CLOSING = (TokenType.L_PAREN, TokenType.L_BRACKET), (TokenType.R_PAREN, TokenType.R_BRACKET)
_NAMED = (TokenType.VAR, TokenType.IDENTIFIER)
_OPERANDS = (*_NAMED, TokenType.NUMBER, TokenType.STRING, TokenType.NULL)
# What DuckDB gives as the place of an operator may leave out the operand before it.
_OPERATOR = re.compile(r"\W|(?:between|collate|glob|i?like|in|is|not|similar)\b", re.IGNORECASE)


def all_problems(bind: Callable[[str], object], sql: str, first: Problem) -> list[Problem]:
    """Return the first problem of a query, and those that come up when NULL stands where each stood.

    What is wrong once more, as a name in a query that reads what it should have given, is told once. It ends
    with a mistake that has no such place.
    """
    found, edits, text, problem = [first], [], sql, first
    told = {_words(sql, first)}
    for _ in range(_MOST):
        if (extent := _extent(text, problem)) is None:
            break
        start, end = extent
        edits.append((start, 4 - (end - start)))
        text = f"{text[:start]}NULL{text[end:]}"
        try:
            bind(text)
            break
        except BinderError as error:
            problem = error.problem
        words = _words(text, problem)
        # A type of NULL is ours, not theirs.
        ours = problem.rule not in (*_NAMES, *_EXPRESSIONS) or '"NULL"' in problem.message
        if problem.start is not None and words not in told and not ours:
            told.add(words)
            found.append(_moved(problem, edits))
    return found


def _words(text: str, problem: Problem) -> str:
    """Return what a problem is about, as it is written."""
    start, end = _whole(text, problem) or (problem.start or 0, (problem.start or 0) + problem.length)
    return text[start:end].lower().strip('"')


def _whole(text: str, problem: Problem) -> tuple[int, int] | None:
    """Return where the expression begins and ends that types or aggregates are wrong in, if it is known."""
    if problem.rule not in _EXPRESSIONS or problem.start is None:
        return None
    start, end = problem.whole or (problem.start, problem.start)
    if _CALLED.match(text, start) and (problem.whole is None or text[end - 1] == ")"):
        return start, _call_end(text, start)
    if _OPERATOR.match(text, start):
        return _operation(text, start, end)
    return (start, end) if start < end else None


def _operation(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where an operation begins and ends, of which DuckDB tells the operator, or all from there on."""
    tokens = tokenize(text) or ()
    index = next((i for i, token in enumerate(tokens) if token.start == start), None)
    if index is None:
        return None
    if start == end:
        right = index + 1
        if right == len(tokens) or tokens[right].token_type not in _OPERANDS:
            return None
        end = _REST.match(text, tokens[right].end + 1).end()  # type: ignore[union-attr]
        end = _call_end(text, end) if text[end : end + 1] == "(" else end
    return tokens[_first(tokens, index - 1)].start, end


def _first(tokens: Sequence[Token], last: int) -> int:
    """Return the first token of the operand that ends with a token; the one behind it if it ends none."""
    if tokens[last].token_type in _CLOSING:
        depth, at = 1, last
        while depth and at:
            at -= 1
            kind = tokens[at].token_type
            depth += (kind in _CLOSING) - (kind in _OPENING)
        at -= tokens[at - 1].token_type in _NAMED
    elif tokens[last].token_type in _OPERANDS:
        at = last
    else:
        return last + 1
    while at > 1 and tokens[at - 1].token_type == TokenType.DOT:
        at -= 2
    return at


def _extent(text: str, problem: Problem) -> tuple[int, int] | None:
    """Return where NULL can stand for what is wrong: a name with what qualifies it, a call with what is in
    it, or an expression; None if that is not known."""
    if problem.rule not in _NAMES or problem.start is None:
        return _whole(text, problem)
    start, end = problem.start, problem.start + problem.length
    before = _QUALIFIER.search(text, 0, start)
    after = _REST.match(text, end)
    start, end = before.start() if before else start, after.end() if after else end
    return start, _call_end(text, end) if problem.rule == "unknown-function" else end


def _call_end(text: str, start: int) -> int:
    """Return where a call ends, with its FILTER and OVER."""
    end = _close(text, text.find("(", start)) + 1
    while behind := _BEHIND_CALL.match(text, end):
        end = _close(text, behind.end()) + 1
    return end


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
