"""How the value of an expression adds up: a sound guess without a binder, None where unsure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.facts import Kind, Scope
from osiris_sql.compile.lineage.resolve import resolve

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk

_T = exp.DType
_CASTS: dict[exp.DType, Kind] = {
    **dict.fromkeys((_T.BOOLEAN, _T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT, _T.INT128), "int"),
    **dict.fromkeys((_T.UTINYINT, _T.USMALLINT, _T.UINT, _T.UBIGINT), "int"),
    _T.DECIMAL: "decimal",
    _T.FLOAT: "float",
    _T.DOUBLE: "float",
}
_INTEGERS = (
    *(exp.Count, exp.CountIf, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Length),
    *(exp.Predicate, exp.Boolean, exp.Connector, exp.Not, exp.DateDiff),
)
_SAME = (
    exp.Paren,
    exp.Neg,
    exp.Abs,
    exp.Min,
    exp.Max,
    exp.First,
    exp.Last,
    exp.AnyValue,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Lag,
    exp.Lead,
    exp.Window,
    exp.Filter,
    exp.IgnoreNulls,
    exp.RespectNulls,
    exp.Distinct,
    exp.Order,
)


def kind_of(node: exp.Expr, scope: Scope, walk: Walk) -> Kind | None:
    """Return how the value of an expression adds up, or None where only DuckDB's binder can tell."""
    if isinstance(node, exp.Column):
        return resolve(node, scope, walk).kind
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Cast):
        return _CASTS.get(node.to.this)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return _wider([kind_of(side, scope, walk) for side in (node.left, node.right)])
    if isinstance(node, exp.Div | exp.Avg):
        return "float" if isinstance(node, exp.Div) else None
    if isinstance(node, _INTEGERS):
        return "int"
    if isinstance(node, exp.Sum):
        return kind_of(node.this, scope, walk)
    if isinstance(node, exp.Distinct):
        return kind_of(node.expressions[0], scope, walk) if len(node.expressions) == 1 else None
    if isinstance(node, _SAME) and isinstance(node.this, exp.Expr):
        return kind_of(node.this, scope, walk)
    branches = _branches(node)
    return (
        _wider([kind_of(b, scope, walk) for b in branches if not isinstance(b, exp.Null)])
        if branches
        else None
    )


def type_of(node: exp.Expr, scope: Scope, walk: Walk) -> str | None:
    """Return the DuckDB type of an expression where it is that of a column, else None."""
    return resolve(node, scope, walk).type if isinstance(node, exp.Column) else None


def _literal(node: exp.Literal) -> Kind | None:
    if node.is_string:
        return None
    text = str(node.this)
    if text.isdigit():
        return "int" if len(text) < 19 else None
    return "decimal" if text.replace(".", "", 1).isdigit() else "float"


def _branches(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return [node.this, *node.expressions]
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        return [*(branch.args["true"] for branch in node.args["ifs"]), *([default] if default else [])]
    if isinstance(node, exp.If):
        return [b for b in (node.args.get("true"), node.args.get("false")) if b is not None]
    return [node.this] if isinstance(node, exp.Nullif) else []


def _wider(kinds: list[Kind | None]) -> Kind | None:
    """Return the kind of a mix: exact numbers stay exact, a DOUBLE makes all DOUBLE."""
    if None in kinds or "other" in kinds or not kinds:
        return None
    return "float" if "float" in kinds else "decimal" if "decimal" in kinds else "int"
