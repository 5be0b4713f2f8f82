"""The tokens of a text, split up once: parser, outline, lineage and fingerprint all read the same ones."""

from functools import lru_cache

from sqlglot import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

_DUCKDB = Dialect.get_or_raise("duckdb")


# A model's text and its rewritten text are in use at a time, and those of what it inlines.
@lru_cache(maxsize=8)
def tokenize(sql: str) -> tuple[Token, ...] | None:
    """Return the tokens of a text, or None where it has none, as in an unterminated string."""
    try:
        return tuple(_DUCKDB.tokenize(sql))
    except SqlglotError:
        return None
