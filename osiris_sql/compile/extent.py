"""How far a mistake reaches: a name with what qualifies it, a call with what is in it, an operation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from osiris_sql.compile.places import Problem
from osiris_sql.compile.tokens import match_brackets, tokenize

NAMES = frozenset({"unknown-column", "unknown-function", "unknown-relation", "unknown-type", "unknown-field"})
NAMES |= {"ambiguous-column", "not-grouped"}
_NAMED = (TokenType.VAR, TokenType.IDENTIFIER)
_OPERANDS = (*_NAMED, TokenType.NUMBER, TokenType.STRING, TokenType.NULL)
_OPERATOR = re.compile(r"[^\w\"'({]|(?:between|collate|glob|i?like|in|is|not|similar)\b", re.IGNORECASE)


def find_extent(text: str, problem: Problem) -> tuple[int, int] | None:
    """Return where what is wrong begins and ends; None if that is not known."""
    tokens = tokenize(text) or ()
    place = -1 if problem.start is None else problem.start
    at = next((i for i, token in enumerate(tokens) if token.start <= place <= token.end), None)
    closed = match_brackets(tokens)
    return None if at is None or closed is None else _Words(text, tokens, closed).extent(at, problem)


@dataclass(frozen=True, slots=True)
class _Words:
    """A text as tokens, and where those that open a parenthesis are closed."""

    text: str
    tokens: Sequence[Token]
    closed: dict[int, int]

    def extent(self, at: int, problem: Problem) -> tuple[int, int] | None:
        """Return where the problem with a token begins and ends."""
        start, end = problem.whole or (self.tokens[at].start, self.tokens[at].start)
        if problem.rule in NAMES:
            # A word of the grammar may be the name.
            return self.tokens[min(self._first(at), at)].start, self._end(at)
        if _OPERATOR.match(self.text, start):
            # DuckDB may leave out the operand before an operator, or give the operator alone.
            end = end if start < end else self._operand_end(at)
            return (self.tokens[self._first(at - 1)].start, end) if start < end else None
        if at + 1 in self.closed and (problem.whole is None or self.text[end - 1] == ")"):
            return start, self._end(at)
        if problem.whole is None and at in self.closed:
            end = self.tokens[self.closed[at]].end + 1
        return (start, end) if start < end else None

    def _operand_end(self, operator: int) -> int:
        """Return where the operand after an operator ends, or the operator's place if that is not known."""
        if operator in self.closed:
            return self.tokens[self.closed[operator]].end + 1
        known = operator + 1 < len(self.tokens) and self.tokens[operator + 1].token_type in _OPERANDS
        return self._end(operator + 1) if known else self.tokens[operator].start

    def _first(self, last: int) -> int:
        """Return the first token of the operand that ends with a token; the one behind it if it ends none."""
        at = next((opened for opened, closed in self.closed.items() if closed == last), last)
        if at < last:
            at -= self.tokens[at - 1].token_type in _NAMED
        elif self.tokens[last].token_type not in _OPERANDS:
            return last + 1
        while at > 1 and self.tokens[at - 1].token_type == TokenType.DOT:
            at -= 2
        return at

    def _end(self, at: int) -> int:
        """Return where a name ends, or a call with its FILTER and OVER."""
        while at + 2 < len(self.tokens) and self._word(at + 1) == ".":
            at += 2
        while (opened := self._opened(at + 1)) is not None:
            at = self.closed[opened]
        return self.tokens[at].end + 1

    def _opened(self, at: int) -> int | None:
        """Return the parenthesis of a call, or of what belongs to it, that begins with a token."""
        if self._word(at) in ("filter", "over"):
            at += 1
        elif self._word(at) == "within":
            at += 2
        return at if at in self.closed and self._word(at) == "(" else None

    def _word(self, at: int) -> str:
        return self.tokens[at].text.lower() if at < len(self.tokens) else ""
