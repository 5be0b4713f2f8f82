"""Whether a condition can be put to every row: a filter may skip rows, an aggregate of all may not.

`kind <> 'number' OR CAST(v AS INTEGER) > 0` may pass as a filter, which asks the second part only where
the first is false, and fail as an aggregate. TRY is no way out: DuckDB takes an expression that stands in
two places out of it, to compute it once (tried on 1.5.5 and 2.0.0).
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from osiris_sql.types.relation import TableSchema

_CHOOSES = (exp.And, exp.Or, exp.Between, exp.In)
_COMPARES = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Like, exp.ILike)
_TOTAL = (
    *(exp.Select, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg),
    *(exp.And, exp.Or, exp.Not, exp.Is, *_COMPARES),
)
# Without an AND, OR or the like, and without a function that may do without an argument, both ways
# evaluate all on all rows, and fail alike.
_PLAIN = (*_TOTAL, exp.Cast, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DataType, exp.Subquery)
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?|DOUBLE|FLOAT")


def asks_every_row(condition: str, schema: TableSchema) -> bool:
    """Say whether a condition fails as an aggregate over all rows only where it fails as a filter."""
    try:
        tree = sqlglot.parse_one(f"SELECT {condition}", dialect="duckdb")
    except (SqlglotError, RecursionError):
        return False
    nodes = list(tree.walk())
    if not any(isinstance(node, _CHOOSES) for node in nodes):
        return all(isinstance(node, _PLAIN) for node in nodes)
    compared = [node for node in nodes if isinstance(node, _COMPARES)]
    return all(isinstance(node, _TOTAL) for node in nodes) and all(_of_one_kind(n, schema) for n in compared)


def _of_one_kind(comparison: exp.Expr, schema: TableSchema) -> bool:
    """Say whether no value has to be cast to be compared: a text may be no number."""
    kinds = {kind for part in comparison.iter_expressions() if (kind := _kind(part.unnest(), schema))}
    return len(kinds) <= 1 and "unknown" not in kinds


def _kind(node: exp.Expr, schema: TableSchema) -> str:
    if isinstance(node, exp.Neg):
        return _kind(node.this, schema)
    if isinstance(node, exp.Literal):
        # A text is cast when the query is planned, the same for a filter and for an aggregate.
        return "" if node.is_string else "number"
    if isinstance(node, exp.Column):
        type_ = schema.type_of(node.name) or "unknown"
        number = _NUMBER.fullmatch(type_) or type_.startswith("DECIMAL")
        return "number" if number else type_
    return "" if isinstance(node, exp.Null) else "BOOLEAN" if isinstance(node, exp.Boolean) else "unknown"
