"""The tokens of a text, split up once: parser, outline, lineage and fingerprint all read the same ones."""

from collections.abc import Sequence
from functools import lru_cache

from sqlglot import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

_DUCKDB = Dialect.get_or_raise("duckdb")
_OPEN = {TokenType.L_PAREN: TokenType.R_PAREN, TokenType.L_BRACKET: TokenType.R_BRACKET}
_OPEN[TokenType.L_BRACE] = TokenType.R_BRACE
_CLOSE = set(_OPEN.values())


# A model's text and its rewritten text are in use at a time, and those of what it inlines.
@lru_cache(maxsize=8)
def tokenize(sql: str) -> tuple[Token, ...] | None:
    """Return the tokens of a text, or None where it has none, as in an unterminated string."""
    try:
        return tuple(_DUCKDB.tokenize(sql))
    except SqlglotError:
        return None


def match_brackets(tokens: Sequence[Token]) -> dict[int, int] | None:
    """Return where each token that opens a parenthesis is closed, or None where they don't match."""
    pairs: dict[int, int] = {}
    stack: list[int] = []
    for index, token in enumerate(tokens):
        if token.token_type in _OPEN:
            stack.append(index)
        elif token.token_type in _CLOSE:
            if not stack or _OPEN[tokens[stack[-1]].token_type] != token.token_type:
                return None
            pairs[stack.pop()] = index
    return None if stack else pairs
