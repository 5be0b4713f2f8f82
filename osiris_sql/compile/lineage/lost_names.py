"""A net under the parser: names of the text that its tree doesn't hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.tokens import tokenize

_PLACED = (exp.Identifier, exp.Func)
_BORING = frozenset(
    {TokenType.STRING, TokenType.NUMBER, TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA}
)


def lost_names(sql: str, by_class: Mapping[type[exp.Expr], Sequence[exp.Expr]]) -> frozenset[str] | None:
    """Return the words of a text, in lower case, that stand for nothing in its tree.

    sqlglot turns some columns into something else (the first argument of `date_trunc` into a unit):
    a column of an input with such a name must count as read. None if the text can't be split up.
    """
    tokens = tokenize(sql)
    if tokens is None:
        return None
    placed = (nodes for kind, nodes in by_class.items() if issubclass(kind, _PLACED))
    held = {node.meta.get("start") for nodes in placed for node in nodes}
    return frozenset(t.text.lower() for t in tokens if t.token_type not in _BORING and t.start not in held)
