"""A net under the parser: names of the text that its tree doesn't hold."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.tokens import tokenize

_BORING = frozenset(
    {TokenType.STRING, TokenType.NUMBER, TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA}
)


def lost_names(sql: str, nodes: Iterable[exp.Expr]) -> frozenset[str] | None:
    """Return the words of a text, in lower case, that stand for nothing in its tree.

    sqlglot turns some columns into something else (the first argument of `date_trunc` into a unit):
    a column of an input with such a name must count as read. None if the text can't be split up.
    """
    tokens = tokenize(sql)
    if tokens is None:
        return None
    held = {n.meta["start"] for n in nodes if isinstance(n, exp.Identifier | exp.Func) and "start" in n.meta}
    return frozenset(t.text.lower() for t in tokens if t.token_type not in _BORING and t.start not in held)
